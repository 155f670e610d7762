/** The options that give a node's credentials by a function, taken out of its options and checked. */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectFunction } from '../runtime/validate.ts';
import type { CredentialsFunction } from './link/credentials.ts';

/** Options that may be given in addition to those of ioredis. */
export interface CredentialOptions {
  readonly username?: unknown;
  readonly password?: unknown;
  readonly credentials?: unknown;
}

export interface TakenCredentials<Options> {
  /** Undefined: user and password, if there are any, are among the options. */
  readonly credentials: CredentialsFunction | undefined;
  /** Without those that the function stands for. */
  readonly rest: Options;
}

/** @throws {InvalidArgumentError} Two of them contradict each other. Never shows a value. */
export function takeCredentials<Options extends CredentialOptions>(
  field: string,
  options: Options,
): TakenCredentials<Omit<Options, 'credentials'>> {
  const { credentials, ...rest } = options;
  const { username, password, ...others } = rest;
  if (credentials !== undefined) {
    const ask = expectFunction(`${field}.credentials`, credentials) as CredentialsFunction;
    refuseBeside(`${field}.username`, username);
    refuseBeside(`${field}.password`, password);
    return { credentials: ask, rest: others as unknown as Omit<Options, 'credentials'> };
  }
  if (typeof password !== 'function') return { credentials: undefined, rest };
  if (username !== undefined && username !== null && typeof username !== 'string') {
    throw new InvalidArgumentError(`${field}.username`, 'a string', username);
  }
  const user = username || undefined;
  const ask = async () => ({ username: user, password: await password() });
  return { credentials: ask as CredentialsFunction, rest: others as unknown as Omit<Options, 'credentials'> };
}

function refuseBeside(field: string, value: unknown): void {
  if (value === undefined || value === null) return;
  const reason = 'cannot be combined with credentials, which gives both user name and password.';
  throw InvalidArgumentError.saying(field, reason);
}

/** @throws {InvalidArgumentError} A function stands where only text is taken. */
export function refuseFunction(field: string, value: unknown): void {
  if (typeof value !== 'function') return;
  throw new InvalidArgumentError(
    field,
    'a string; only a node that is given by its address may have a function here',
    value,
  );
}
