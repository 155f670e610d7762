/**
 * Turning values into the bytes that are stored, and back.
 *
 * The bytes are all that is stored: there is no envelope, so that any Redis client reads what a codec wrote.
 */

import { CodecError, InvalidArgumentError, isShardringError } from '../errors/index.ts';
import { expectFunction, expectObject, expectString } from '../runtime/validate.ts';

export interface Codec<Stored = unknown> {
  /** Used in errors. */
  readonly name: string;
  /** Must not change `value`. What it throws becomes the cause of a {@link CodecError}. */
  encode(value: Stored): Uint8Array;
  /** Gets exactly the bytes that `encode` gave, or whatever another program has stored. Must not keep or change them. */
  decode(bytes: Uint8Array): Stored;
}

/** A key that begins like this stands for a Buffer, or for an object's own key that began like this, with one more `$`. */
const bufferKey = '$buffer';
const escapedKey = /^\$+buffer$/;

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * JSON text in UTF-8, with `Buffer` and `Uint8Array` kept, at any depth, as `{"$buffer":"<base64>"}` and read back as
 * `Buffer`. Everything else is as JSON has it: a `Date` becomes its text, `NaN` becomes null, `undefined` in an object
 * is left out. A value that JSON has no text for (`undefined`, a function, a symbol, a bigint) is refused.
 */
export const jsonCodec: Codec = {
  name: 'json',
  encode(value) {
    const text = JSON.stringify(value, typeof value === 'object' ? replaceBuffers : undefined);
    if (text === undefined) throw new InvalidArgumentError('value', 'a value that JSON can express', value);
    return Buffer.from(text, 'utf8');
  },
  decode(bytes) {
    const text = asBuffer(bytes).toString('utf8');
    // The reviver costs several times the parsing, and few values have a Buffer in them.
    return JSON.parse(text, text.includes('$buffer"') ? reviveBuffers : undefined);
  },
};

/** `this` is the object that holds `key`: `value` has already been through `Buffer.prototype.toJSON`. */
function replaceBuffers(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  if (original instanceof Uint8Array) return { [bufferKey]: asBuffer(original).toString('base64') };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (!Object.keys(value).some((name) => escapedKey.test(name))) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [escapedKey.test(name) ? `$${name}` : name, field]),
  );
}

function reviveBuffers(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]![0] === bufferKey && typeof entries[0]![1] === 'string') {
    return Buffer.from(entries[0]![1], 'base64');
  }
  if (!entries.some(([name]) => escapedKey.test(name))) return value;
  return Object.fromEntries(entries.map(([name, field]) => [escapedKey.test(name) ? name.slice(1) : name, field]));
}

/**
 * Bytes as they are: a `Buffer` or `Uint8Array` in, a `Buffer` out. They are copied, so that the caller may go on writing
 * into its array.
 */
export const bytesCodec: Codec<Uint8Array> = {
  name: 'bytes',
  encode(value) {
    if (!(value instanceof Uint8Array)) throw new InvalidArgumentError('value', 'a Buffer or Uint8Array', value);
    return Buffer.from(value);
  },
  decode: asBuffer,
};

const builtIn = { json: jsonCodec, bytes: bytesCodec as Codec };

export type CodecOption<Stored = unknown> = 'json' | 'bytes' | Codec<Stored>;

/** @throws {InvalidArgumentError} Neither the name of a codec nor one. */
export function parseCodec(field: string, option: unknown): Codec {
  if (option === undefined) return jsonCodec;
  if (option === 'json' || option === 'bytes') return builtIn[option];
  if (typeof option !== 'object') throw new InvalidArgumentError(field, `'json', 'bytes' or a codec`, option);
  const codec = expectObject(field, option);
  expectString(`${field}.name`, codec.name);
  expectFunction(`${field}.encode`, codec.encode);
  expectFunction(`${field}.decode`, codec.decode);
  return option as Codec;
}

/** @throws {InvalidArgumentError} The codec refused the value as such. @throws {CodecError} It failed. */
export function encode(codec: Codec, value: unknown): Uint8Array {
  let bytes: unknown;
  try {
    bytes = codec.encode(value);
  } catch (error) {
    if (isShardringError(error) && error.code === 'ERR_INVALID_ARGUMENT') throw error;
    throw new CodecError(codec.name, 'encode', { cause: error });
  }
  if (!(bytes instanceof Uint8Array)) {
    const cause = new InvalidArgumentError('the result of encode', 'a Uint8Array', bytes);
    throw new CodecError(codec.name, 'encode', { cause });
  }
  return bytes;
}

/** @throws {CodecError} The bytes are not what the codec writes. Its cause is without the bytes. */
export function decode(codec: Codec, bytes: Uint8Array): unknown {
  try {
    return codec.decode(bytes);
  } catch (error) {
    throw new CodecError(codec.name, 'decode', { cause: withoutContent(error) });
  }
}

/** `JSON.parse` quotes the text that it fails on, which is a stored value and must not reach a log. */
function withoutContent(error: unknown): unknown {
  return error instanceof SyntaxError ? new SyntaxError('The stored text cannot be parsed.') : error;
}
