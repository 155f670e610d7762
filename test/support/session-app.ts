/**
 * An application with logins over real HTTP, for any session store, and browsers that use it: each keeps its cookie.
 */

import type { AddressInfo } from 'node:net';
import express, { type NextFunction, type Request, type Response } from 'express';
import session, { type Store } from 'express-session';

declare module 'express-session' {
  interface SessionData {
    user: string;
    count: number;
  }
}

export interface SessionApp extends AsyncDisposable {
  /** A new browser without a cookie. */
  browser(): Browser;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Browser {
  get(path: string): Promise<Answer>;
  post(path: string): Promise<Answer>;
  /** The session's id as the cookie has it, undefined without one. */
  readonly sessionId: string | undefined;
}

export interface SessionAppOptions {
  /** Of the cookie. Default: none, and the cookie ends with the browser. */
  readonly maxAgeMs?: number;
}

export async function startSessionApp(store: Store, { maxAgeMs }: SessionAppOptions = {}): Promise<SessionApp> {
  const app = express();
  const cookie = maxAgeMs === undefined ? {} : { maxAge: maxAgeMs };
  app.use(session({ store, secret: 'not secret', resave: false, saveUninitialized: false, cookie }));
  app.get('/me', ({ session }, response) => void response.send(session.user ?? 'nobody'));
  app.get('/count', ({ session }, response) => {
    session.count = (session.count ?? 0) + 1;
    response.send(String(session.count));
  });
  app.post('/login/:user', (request, response, next) => {
    // A new id at login, as against session fixation.
    request.session.regenerate((error) => {
      if (error) return next(error);
      request.session.user = request.params.user;
      response.send('welcome');
    });
  });
  app.post('/logout', ({ session }, response, next) => {
    session.destroy((error) => (error ? next(error) : response.send('bye')));
  });
  app.use((error: { code?: string; name: string }, _request: Request, response: Response, _next: NextFunction) => {
    response.status(503).send(error.code ?? error.name);
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    browser: () => new CookieBrowser(`http://127.0.0.1:${port}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class CookieBrowser implements Browser {
  readonly #origin: string;
  #cookie: string | undefined;

  constructor(origin: string) {
    this.#origin = origin;
  }

  get(path: string): Promise<Answer> {
    return this.#ask('GET', path);
  }

  post(path: string): Promise<Answer> {
    return this.#ask('POST', path);
  }

  get sessionId(): string | undefined {
    const match = this.#cookie?.match(/^connect\.sid=s%3A([^.]+)\./);
    return match?.[1] === undefined ? undefined : decodeURIComponent(match[1]);
  }

  async #ask(method: string, path: string): Promise<Answer> {
    const headers: Record<string, string> = this.#cookie === undefined ? {} : { cookie: this.#cookie };
    const response = await fetch(this.#origin + path, { method, headers });
    const [given] = response.headers.getSetCookie();
    if (given !== undefined) this.#cookie = given.split(';')[0];
    return { status: response.status, body: await response.text() };
  }
}
