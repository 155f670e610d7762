/**
 * Turning values into the bytes that are stored, and back.
 *
 * The bytes are all that is stored: there is no envelope, so that any Redis client reads what a codec wrote.
 */

import { types } from 'node:util';
import { CodecError, codeOf, InvalidArgumentError } from '../errors/index.ts';
import { ownBytes } from '../runtime/own-bytes.ts';
import { expectFunction, expectObject, expectString } from '../runtime/validate.ts';
import { asBuffer, fromJsonText, toJsonValue } from './json-value.ts';

export interface Codec<Stored = unknown> {
  /** Used in errors. */
  readonly name: string;
  /** Must not change `value`. What it throws becomes the cause of a {@link CodecError}. */
  encode(value: Stored): Uint8Array;
  /**
   * Gets exactly the bytes that `encode` gave, or whatever another program has stored. Must not change them, and not keep them
   * without a copy: they may be a view on a much larger piece of memory.
   */
  decode(bytes: Uint8Array): Stored;
}

/** JSON text in UTF-8, of values that JSON gives back; those and all others are listed in `json-value.ts`. */
export const jsonCodec: Codec = {
  name: 'json',
  encode: (value) => encodeJson(value, 'value'),
  decode: (bytes) => fromJsonText(asBuffer(bytes).toString('utf8')),
};

const encodeJson = (value: unknown, field: string): Buffer =>
  Buffer.from(JSON.stringify(toJsonValue(value, field)), 'utf8');

/**
 * Bytes as they are: a `Buffer` or `Uint8Array` in, a `Buffer` out. They are copied, so that the caller may go on writing
 * into its array.
 */
export const bytesCodec: Codec<Uint8Array> = {
  name: 'bytes',
  encode: (value) => encodeBytes(value, 'value'),
  decode: (bytes) => ownBytes(asBuffer(bytes)),
};

function encodeBytes(value: unknown, field: string): Buffer {
  if (!types.isUint8Array(value)) throw new InvalidArgumentError(field, 'a Buffer or Uint8Array', value);
  return Buffer.from(value);
}

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

/**
 * @param field  Where the caller wrote the value, for errors.
 * @throws {InvalidArgumentError} The codec refused the value as such. @throws {CodecError} It failed.
 */
export function encode(codec: Codec, value: unknown, field = 'value'): Uint8Array {
  let bytes: unknown;
  try {
    if (codec === jsonCodec) bytes = encodeJson(value, field);
    else if (codec === builtIn.bytes) bytes = encodeBytes(value, field);
    else bytes = codec.encode(value);
  } catch (error) {
    if (codeOf(error) === 'ERR_INVALID_ARGUMENT') throw error;
    throw new CodecError(codec.name, 'encode', { cause: error });
  }
  if (!types.isUint8Array(bytes)) {
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
