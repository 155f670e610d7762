/**
 * Credentials that are asked for at each connection: tokens that live for minutes, passwords that are rotated.
 *
 * What the function throws is kept as the cause of ours. It may say anything, so it is no part of a message.
 */

import type { Clock } from '../../runtime/clock.ts';
import { limitTime } from '../../runtime/time-limit.ts';
import { PeerFailure } from './peer-failure.ts';

export interface Credentials {
  /** Default: the server's default user. */
  readonly username?: string | undefined;
  readonly password: string;
}

/** Called for every connection that is made, also when one is made anew. */
export type CredentialsFunction = () => Credentials | Promise<Credentials>;

/**
 * @param limitMs  Until when the function must have answered.
 * @throws {PeerFailure} Of kind 'credentials'.
 */
export async function askCredentials(ask: CredentialsFunction, limitMs: number, clock: Clock): Promise<Credentials> {
  let cancel: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error(`It did not answer within ${Math.ceil(limitMs)} ms.`));
    cancel = limitTime(clock, limitMs, giveUp, true);
  });
  let answer: unknown;
  try {
    answer = await Promise.race([(async () => ask())(), late]);
  } catch (cause) {
    throw failed(cause);
  } finally {
    cancel();
  }
  return parse(answer);
}

function parse(answer: unknown): Credentials {
  const { username, password } = (answer ?? {}) as Partial<Record<keyof Credentials, unknown>>;
  if (typeof password !== 'string' || password === '') {
    throw failed(new Error('It gave no password: expected { username?, password }.'));
  }
  if (username !== undefined && username !== null && typeof username !== 'string') {
    throw failed(new Error('It gave a username that is no string.'));
  }
  return { username: username || undefined, password };
}

const failed = (cause: unknown) =>
  new PeerFailure({
    kind: 'credentials',
    cause: cause instanceof Error ? cause : new Error('It threw what is no error.'),
  });
