/**
 * Which values JSON gives back as they were, and how `Buffer` and `Date` are written so that they come back too. Pure.
 *
 *     null, booleans, strings, finite numbers   as they are; -0 comes back as 0
 *     arrays, plain objects                     each element and each enumerable property by these same rules
 *     undefined as an object's property         left out, so that reading the property gives undefined again
 *     properties that cannot be enumerated,     left out; to find the latter costs as much as to write the array
 *     and those of an array beside its elements
 *     Buffer, Uint8Array                        {"$buffer":"<base64>"}, and a Buffer comes back
 *     Date                                      {"$date":"<ISO 8601>"}, and a Date comes back
 *     all else                                  refused, with its place inside the value
 *
 * All else is what `JSON.stringify` would change without a word: a Promise, Map, Set or Error becomes `{}`, an instance of a
 * class a plain object, NaN null, a function nothing. A `toJSON` method says how something is written and not how it is
 * read back, so having one does not help: who wants its result stored calls it.
 *
 * Most values are plain. So a quick walk says only whether `JSON.stringify` keeps a value as it is, and a second, slower one goes
 * through those that it may not keep: it writes the marks, and finds what is wrong, and where.
 */

import { types } from 'node:util';
import { InvalidArgumentError } from '../errors/index.ts';

const bufferKey = '$buffer';
const dateKey = '$date';

/** A property of such a name is written with one more `$`. */
const nameLikeMark = /^\$+(?:buffer|date)$/;
const escapedName = /^\$\$+(?:buffer|date)$/;
const dollar = 0x24;

/** Deeper values are looked at slowly: only there can a value contain itself. */
const quickDepth = 64;

/** @returns What to give `JSON.stringify` for `value`. @throws {InvalidArgumentError} JSON would not give it back. */
export function toJsonValue(value: unknown, field: string): unknown {
  return isPlain(value, 0) ? value : new Marking(field).marked(value);
}

/** @param text  May hold marks only if it holds their names; most texts do not, and reviving costs more than parsing. */
export function fromJsonText(text: string): unknown {
  return JSON.parse(text, text.includes(`${bufferKey}"`) || text.includes(`${dateKey}"`) ? revive : undefined);
}

/** Whether `JSON.stringify` keeps `value`, as far as a quick look can tell. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return value === null || isPlainWithin(value, depth);
    default:
      return false;
  }
}

function isPlainWithin(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (depth > quickDepth || (prototype !== Array.prototype && prototype !== Object.prototype)) return false;
  if ((value as MaybeConverting).toJSON !== undefined) return false;
  if (prototype === Array.prototype) return isPlainArray(value as readonly unknown[], depth);
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  // Twice as fast as a list of the names. What a program has put on Object.prototype is for the slow walk to leave out.
  for (const name in value) {
    if (name.charCodeAt(0) === dollar && nameLikeMark.test(name)) return false;
    const field = (value as Record<string, unknown>)[name];
    if (field !== undefined && !isPlain(field, depth + 1)) return false;
  }
  return true;
}

function isPlainArray(array: readonly unknown[], depth: number): boolean {
  for (let index = 0; index < array.length; index++) if (!isPlain(array[index], depth + 1)) return false;
  return true;
}

/** `JSON.stringify` calls the method wherever it finds one, also on an array and where it cannot be enumerated. */
interface MaybeConverting {
  readonly toJSON?: unknown;
}

/** A property's name, or an element's index. */
type Step = string | number;

const wayOut = 'convert it first, or give the cache a codec that keeps it';
const keptByJson = `a value that JSON gives back unchanged (${wayOut})`;
const awaited = 'a value and not the promise of one (await it first)';
const withoutItself = `a value that does not contain itself (${wayOut})`;
const stringNames = `only properties whose names are strings (${wayOut})`;

/** The slow walk through one value. */
class Marking {
  readonly #field: string;
  /** Where it is, and the objects that contain what is there. */
  readonly #path: Step[] = [];
  readonly #above = new Set<object>();

  constructor(field: string) {
    this.#field = field;
  }

  /** The value with its marks. @throws {InvalidArgumentError} For the first thing in it that JSON would not give back. */
  marked(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return isKeptPrimitive(value) ? value : this.#refuse(value);
    // By what they are and not by their class: that of another realm, as Jest has, or of fake timers is another one.
    if (types.isUint8Array(value)) return { [bufferKey]: asBuffer(value).toString('base64') };
    if (types.isDate(value) && !Number.isNaN(value.getTime())) return { [dateKey]: value.toISOString() };
    const isArray = isSomeArray(value);
    if (!isArray && !isSomeObject(value)) this.#refuse(value, types.isPromise(value) ? awaited : keptByJson);
    if (this.#above.has(value)) this.#refuse(value, withoutItself);
    const { toJSON } = value as MaybeConverting;
    if (typeof toJSON === 'function') this.#at('toJSON', toJSON);
    this.#above.add(value);
    const made = isArray ? Array.from(value, (item, index) => this.#at(index, item)) : this.#markedObject(value);
    this.#above.delete(value);
    return made;
  }

  #markedObject(object: object): object {
    const entries: [string, unknown][] = [];
    for (const [name, field] of Object.entries(object)) {
      if (field !== undefined) entries.push([nameLikeMark.test(name) ? `$${name}` : name, this.#at(name, field)]);
    }
    const isEnumerable = Object.prototype.propertyIsEnumerable;
    const symbol = Object.getOwnPropertySymbols(object).find((each) => isEnumerable.call(object, each));
    if (symbol !== undefined) this.#refuse(symbol, stringNames);
    // `fromEntries` makes properties, where an assignment to `__proto__` would not.
    return Object.fromEntries(entries);
  }

  #at(step: Step, value: unknown): unknown {
    if (isPlain(value, quickDepth)) return value; // It has no more than one level.
    this.#path.push(step);
    const made = this.marked(value);
    this.#path.pop();
    return made;
  }

  #refuse(received: unknown, expected = keptByJson): never {
    throw new InvalidArgumentError(this.#field + pathText(this.#path), expected, received);
  }
}

const isKeptPrimitive = (value: unknown): boolean =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);

/** From any realm: `Array.prototype` is an array itself, and the prototype of a class that extends Array is not. */
const isSomeArray = (value: object): value is readonly unknown[] =>
  Array.isArray(value) && Array.isArray(Object.getPrototypeOf(value));

function isSomeObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  return (
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'constructor') &&
    prototype.constructor?.name === 'Object'
  );
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  const [name, text] = entries[0] ?? [];
  if (entries.length === 1 && typeof text === 'string') {
    if (name === bufferKey) return Buffer.from(text, 'base64');
    if (name === dateKey && isIsoDate(text)) return new Date(text);
  }
  if (!entries.some(([each]) => escapedName.test(each))) return value;
  return Object.fromEntries(entries.map(([each, field]) => [escapedName.test(each) ? each.slice(1) : each, field]));
}

/** Another program may have stored an object of that form, with a text that is not ours. */
function isIsoDate(text: string): boolean {
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString() === text;
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A terminal or an editor would act upon them. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const longestName = 40;
const mostSteps = 12;

/** `.orders[2].total`. A long one loses its middle, and a long name its end: names can be as long as their author likes. */
function pathText(path: readonly Step[]): string {
  const texts = path.map(stepText);
  if (texts.length <= mostSteps) return texts.join('');
  const half = mostSteps / 2;
  return [...texts.slice(0, half), '...', ...texts.slice(-half)].join('');
}

function stepText(step: Step): string {
  if (typeof step === 'number') return `[${step}]`;
  if (/^[A-Za-z_$][\w$]{0,39}$/.test(step)) return `.${step}`;
  const shown = step.length > longestName ? `${step.slice(0, longestName)}...` : step;
  return `[${JSON.stringify(shown.replace(unprintable, '?'))}]`;
}
