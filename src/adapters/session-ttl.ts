/** For how long a session is kept: what its cookie says, or the store's option. */

import type { SessionData } from 'express-session';
import { InvalidArgumentError } from '../errors/index.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { expectPositive } from '../runtime/validate.ts';

export class SessionTtl {
  readonly #ttl: number | ((session: SessionData) => number);
  readonly #clock: Clock;

  /** @param ttl  Seconds for sessions without a cookie expiry, or a function that says them for every session. */
  constructor(ttl: number | ((session: SessionData) => number), clock: Clock = systemClock) {
    this.#ttl = typeof ttl === 'function' ? ttl : expectPositive('options.ttl', ttl);
    this.#clock = clock;
  }

  /** Whole seconds, rounded up. 0 or less: the session has ended. */
  secondsOf(session: SessionData): number {
    if (typeof this.#ttl === 'function') return wholeSeconds('options.ttl()', this.#ttl(session));
    const expires = session.cookie?.expires;
    if (!expires) return Math.ceil(this.#ttl);
    // A Date, or its text when the session comes from somewhere else than express-session.
    return wholeSeconds('session.cookie.expires', (new Date(expires).getTime() - this.#clock.wallMs()) / 1_000);
  }
}

/** NaN would end a session in silence, and for ever is `disableTTL`. */
function wholeSeconds(field: string, seconds: unknown): number {
  if (typeof seconds === 'number' && Number.isFinite(seconds)) return Math.ceil(seconds);
  throw new InvalidArgumentError(field, 'a finite number of seconds', seconds);
}
