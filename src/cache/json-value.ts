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
 * Most values are plain. So a quick walk says only whether a value is plain, and a second, slower one finds what is wrong
 * with one that is not, and where.
 */

import { types } from 'node:util';
import { InvalidArgumentError } from '../errors/index.ts';

const bufferKey = '$buffer';
const dateKey = '$date';

/** A property of such a name is written with one more `$`. */
const nameLikeMark = /^\$+(?:buffer|date)$/;
const escapedName = /^\$\$+(?:buffer|date)$/;
const dollar = 0x24;

/**
 * - `plain`: `JSON.stringify` keeps it.
 * - `marked`: it holds something that is written with a mark of ours, or a name that looks like one.
 * - `unclear`: {@link findFault} has to say.
 */
type Look = 'plain' | 'marked' | 'unclear';

/** Deeper values are looked at slowly: only there can a value contain itself. */
const quickDepth = 64;

/** @returns What to give `JSON.stringify` for `value`. @throws {InvalidArgumentError} JSON would not give it back. */
export function toJsonValue(value: unknown, field: string): unknown {
  const found = look(value, 0);
  if (found === 'plain') return value;
  if (found === 'unclear') {
    const fault = findFault(value, new Set());
    if (fault !== undefined)
      throw new InvalidArgumentError(field + pathText(fault.path), fault.expected, fault.received);
  }
  return withMarks(value);
}

/** @param text  May hold marks only if it holds their names; most texts do not, and reviving costs more than parsing. */
export function fromJsonText(text: string): unknown {
  return JSON.parse(text, text.includes(`${bufferKey}"`) || text.includes(`${dateKey}"`) ? revive : undefined);
}

function look(value: unknown, depth: number): Look {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return 'plain';
    case 'number':
      return Number.isFinite(value) ? 'plain' : 'unclear';
    case 'object':
      return value === null ? 'plain' : lookInto(value, depth);
    default:
      return 'unclear';
  }
}

function lookInto(value: object, depth: number): Look {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (depth > quickDepth) return 'unclear';
  if (prototype !== Array.prototype && prototype !== Object.prototype) return isMarked(value) ? 'marked' : 'unclear';
  if ((value as MaybeConverting).toJSON !== undefined) return 'unclear';
  if (prototype === Array.prototype) return lookIntoArray(value as readonly unknown[], depth);
  if (Object.getOwnPropertySymbols(value).length > 0) return 'unclear';
  let found: Look = 'plain';
  // Twice as fast as a list of the names. What a program has put on Object.prototype is for `findFault` to leave out.
  for (const name in value) {
    if (name.charCodeAt(0) === dollar && nameLikeMark.test(name)) found = 'marked';
    const field = (value as Record<string, unknown>)[name];
    if (field === undefined) continue;
    const inner = look(field, depth + 1);
    if (inner === 'unclear') return inner;
    if (inner === 'marked') found = inner;
  }
  return found;
}

/** `JSON.stringify` calls the method wherever it finds one, also on an array and where it cannot be enumerated. */
interface MaybeConverting {
  readonly toJSON?: unknown;
}

function lookIntoArray(array: readonly unknown[], depth: number): Look {
  let found: Look = 'plain';
  for (let index = 0; index < array.length; index++) {
    const inner = look(array[index], depth + 1);
    if (inner === 'unclear') return inner;
    if (inner === 'marked') found = inner;
  }
  return found;
}

/** A property's name, or an element's index. */
type Step = string | number;

interface Fault {
  readonly path: Step[];
  readonly expected: string;
  readonly received: unknown;
}

const wayOut = 'convert it first, or give the cache a codec that keeps it';
const keptByJson = `a value that JSON gives back unchanged (${wayOut})`;
const awaited = 'a value and not the promise of one (await it first)';
const withoutItself = `a value that does not contain itself (${wayOut})`;
const stringNames = `only properties whose names are strings (${wayOut})`;

/** The first thing that JSON would not give back, if there is one. @param above  The objects that contain the value. */
function findFault(value: unknown, above: Set<object>): Fault | undefined {
  if (typeof value !== 'object' || value === null) {
    return isKeptPrimitive(value) ? undefined : faultOf(value, keptByJson);
  }
  if (isMarked(value)) return undefined;
  const isArray = isPlainArray(value);
  if (!isArray && !isPlainObject(value)) return faultOf(value, types.isPromise(value) ? awaited : keptByJson);
  if (above.has(value)) return faultOf(value, withoutItself);
  const { toJSON } = value as MaybeConverting;
  if (typeof toJSON === 'function') return findFaultAt('toJSON', toJSON, above);
  above.add(value);
  const fault = isArray ? findInArray(value, above) : findInObject(value, above);
  above.delete(value);
  return fault;
}

function findInArray(array: readonly unknown[], above: Set<object>): Fault | undefined {
  for (let index = 0; index < array.length; index++) {
    const fault = findFaultAt(index, array[index], above);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function findInObject(object: object, above: Set<object>): Fault | undefined {
  for (const name of Reflect.ownKeys(object)) {
    if (!Object.prototype.propertyIsEnumerable.call(object, name)) continue;
    if (typeof name === 'symbol') return faultOf(name, stringNames);
    const field = (object as Record<string, unknown>)[name];
    const fault = field === undefined ? undefined : findFaultAt(name, field, above);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function findFaultAt(step: Step, value: unknown, above: Set<object>): Fault | undefined {
  const fault = findFault(value, above);
  fault?.path.unshift(step);
  return fault;
}

const faultOf = (received: unknown, expected: string): Fault => ({ path: [], expected, received });

const isKeptPrimitive = (value: unknown): boolean =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);

/** By what they are and not by their class: that of another realm, as Jest has, or of fake timers is another one. */
function isMarked(value: object): value is Uint8Array | Date {
  return types.isUint8Array(value) || (types.isDate(value) && !Number.isNaN(value.getTime()));
}

/** From any realm: `Array.prototype` is an array itself, and the prototype of a class that extends Array is not. */
const isPlainArray = (value: object): value is readonly unknown[] =>
  Array.isArray(value) && Array.isArray(Object.getPrototypeOf(value));

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  return (
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'constructor') &&
    prototype.constructor?.name === 'Object'
  );
}

function withMarks(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (types.isUint8Array(value)) return { [bufferKey]: asBuffer(value).toString('base64') };
  if (types.isDate(value)) return { [dateKey]: value.toISOString() };
  if (Array.isArray(value)) return value.map(withMarks);
  // `fromEntries` makes properties, where an assignment to `__proto__` would not.
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [nameLikeMark.test(name) ? `$${name}` : name, withMarks(field)]),
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
