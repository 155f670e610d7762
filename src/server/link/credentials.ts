/**
 * Credentials that are asked for at each connection: tokens that live for minutes, passwords that are rotated.
 *
 * An error of the function is kept as the cause of ours. It may say anything, so it is not part of a message.
 */

import type { Clock } from '../../runtime/clock.ts';
import { limitTime } from '../../runtime/time-limit.ts';
import { PeerFailure } from './peer-failure.ts';

export interface Credentials {
  /** Default: the server's default user. */
  readonly username?: string | undefined;
  readonly password: string;
}

/** Called for every connection, also when one is made again. */
export type CredentialsFunction = () => Credentials | Promise<Credentials>;

/** The function of one node, asked at each of its connections. */
export class CredentialsSource {
  readonly #function: CredentialsFunction;
  readonly #limitMs: number;
  readonly #clock: Clock;
  #unanswered = 0;

  /** @param limitMs  Until when the function must have answered. */
  constructor(credentials: CredentialsFunction, limitMs: number, clock: Clock) {
    this.#function = credentials;
    this.#limitMs = limitMs;
    this.#clock = clock;
  }

  /** What a connection that has no socket yet waits for, in words that end a sentence; undefined if nothing. */
  get waitsFor(): string | undefined {
    return this.#unanswered === 0 ? undefined : 'the function for its credentials has not answered yet.';
  }

  /** @throws {PeerFailure} Of kind 'credentials'. */
  async ask(): Promise<Credentials> {
    let cancel: () => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      const giveUp = () => reject(new Error(`It did not answer within ${Math.ceil(this.#limitMs)} ms.`));
      cancel = limitTime(this.#clock, this.#limitMs, giveUp, true);
    });
    let answer: unknown;
    this.#unanswered++;
    try {
      answer = await Promise.race([(async () => this.#function())(), late]);
    } catch (cause) {
      throw failed(cause);
    } finally {
      this.#unanswered--;
      cancel();
    }
    return parse(answer);
  }
}

function parse(answer: unknown): Credentials {
  const { username, password } = (answer ?? {}) as Partial<Record<keyof Credentials, unknown>>;
  if (typeof password !== 'string' || password === '') {
    throw failed(new Error('It gave no password: expected { username?, password }.'));
  }
  if (username !== undefined && username !== null && typeof username !== 'string') {
    throw failed(new Error('It gave a username that is not a string.'));
  }
  return { username: username || undefined, password };
}

const failed = (cause: unknown) =>
  new PeerFailure({
    kind: 'credentials',
    cause: cause instanceof Error ? cause : new Error('It threw a value that is not an Error.'),
  });
