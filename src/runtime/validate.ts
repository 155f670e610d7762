/**
 * Checks for arguments and options. Each returns the value with its type, or throws {@link InvalidArgumentError} that
 * names the field, what was expected and what came. Nothing is ever clamped.
 */

import { InvalidArgumentError } from '../errors/index.ts';

export function expectObject(field: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(field, 'an object', value);
  }
  return value as Record<string, unknown>;
}

/**
 * A Promise, a URL, a Map or an AbortSignal is an object too, but has nothing that could be an option. Taken for options, it
 * would count as none given. A client is not meant as options either, nor any other instance with properties not in `known`.
 */
export function expectSettings(
  field: string,
  value: unknown,
  expected = 'a plain object',
  known?: readonly string[],
): Record<string, unknown> {
  const settings = expectObject(field, value);
  const names = Object.keys(settings);
  if (isPlain(settings)) return settings;
  const unknown = known && names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(field, `${expected} without ${unknown}`, value);
  if (names.length === 0 || ArrayBuffer.isView(value)) throw new InvalidArgumentError(field, expected, value);
  return settings;
}

/** From any realm. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** An object with no other keys than `known`: a misspelt option must not be ignored. */
export function expectKnown(field: string, value: unknown, known: readonly string[]): Record<string, unknown> {
  const options = expectSettings(field, value, `a plain object (${known.join(', ')})`, known);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      // `key` is an option's name, written by a programmer, and not a cache key.
      const name = `${field}.${key}`;
      throw InvalidArgumentError.saying(name, `unknown option. Known options: ${known.join(', ')}.`);
    }
  }
  return options;
}

/** The same; null is not allowed, because it would be treated as not given. */
export function expectOptions(field: string, value: unknown, known: readonly string[]): Record<string, unknown> {
  const options = expectKnown(field, value, known);
  for (const key of Object.keys(options)) {
    if (options[key] !== null) continue;
    const name = `${field}.${key}`;
    throw InvalidArgumentError.saying(name, 'cannot be null. Omit it for its default.');
  }
  return options;
}

export function expectString(field: string, value: unknown): string {
  if (typeof value !== 'string') throw new InvalidArgumentError(field, 'a string', value);
  return value;
}

export function expectBoolean(field: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new InvalidArgumentError(field, 'a boolean', value);
  return value;
}

export function expectFunction(field: string, value: unknown): (...args: never[]) => unknown {
  if (typeof value !== 'function') throw new InvalidArgumentError(field, 'a function', value);
  return value as (...args: never[]) => unknown;
}

/** Anything that can be iterated over, a string excepted: its characters are never what is meant. */
export function expectIterable<Item>(field: string, value: Iterable<Item>): Iterable<Item> {
  if (typeof value !== 'object' || value === null || typeof value[Symbol.iterator] !== 'function') {
    throw new InvalidArgumentError(field, 'an iterable that is not a string', value);
  }
  return value;
}

/** An integer in [min, max]. */
export function expectInteger(
  field: string,
  value: unknown,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    const least = min === Number.MIN_SAFE_INTEGER ? '-(2^53 - 1)' : min;
    const most = max === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : max;
    throw new InvalidArgumentError(field, `an integer in [${least}, ${most}]`, value);
  }
  return value;
}

export function expectFinite(field: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new InvalidArgumentError(field, 'a finite number', value);
  }
  return value;
}

/** A finite number above 0, and at most `max`. */
export function expectPositive(field: string, value: unknown, max: number = Number.POSITIVE_INFINITY): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0 || value > max) {
    const expected =
      max === Number.POSITIVE_INFINITY ? 'a finite number above 0' : `a number above 0 and at most ${max}`;
    throw new InvalidArgumentError(field, expected, value);
  }
  return value;
}

/** Longest time to wait, in milliseconds: about 24.8 days. A timer of Node.js that is set for longer fires after 1 ms. */
export const maxDelayMs = 2 ** 31 - 1;

export function expectOneOf<const Choices extends readonly string[]>(
  field: string,
  value: unknown,
  choices: Choices,
): Choices[number] {
  if (typeof value !== 'string' || !choices.includes(value)) {
    throw new InvalidArgumentError(field, `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`, value, true);
  }
  return value;
}

export function expectSignal(field: string, value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null) throw new InvalidArgumentError(field, 'an AbortSignal', value);
  // By what it has and not by its class: there are signals of other realms, and of polyfills.
  const { aborted, addEventListener, throwIfAborted } = value as Partial<AbortSignal>;
  if (typeof aborted !== 'boolean' || typeof addEventListener !== 'function' || typeof throwIfAborted !== 'function') {
    throw new InvalidArgumentError(field, 'an AbortSignal', value);
  }
  return value as AbortSignal;
}
