/** The numbers of RESP, from their text. Pure. */

import { ProtocolError } from './resp-errors.ts';

/** Most bytes of one string: twice what servers keep in one by default (`proto-max-bulk-len`). */
export const maxStringBytes = 1024 * 1024 * 1024;

/** Most items of one array, keys and values of a map counted apart: about as many as fit into one in JavaScript. */
export const maxItems = 2 ** 26;

const integer = /^[+-]?\d{1,20}$/;
const bigNumber = /^[+-]?\d+$/;
const double = /^[+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|inf|nan(?:\([^)]*\))?)$/i;

/** The nearest number to a 64-bit integer. */
export function parseInteger(text: string): number {
  if (!integer.test(text)) throw new ProtocolError('An integer has no digits.');
  return Number(text);
}

export function checkBigNumber(text: string): string {
  if (!bigNumber.test(text)) throw new ProtocolError('A big number has no digits.');
  return text;
}

export function checkDouble(text: string): string {
  if (!double.test(text)) throw new ProtocolError('A double is not a number.');
  return text;
}

export function parseBoolean(text: string): 0 | 1 {
  if (text !== 't' && text !== 'f') throw new ProtocolError('A boolean is neither true nor false.');
  return text === 't' ? 1 : 0;
}

/** A length or a count; -1 for RESP2's null. */
export function parseCount(text: string): number {
  if (text === '?') throw new ProtocolError('Streamed replies are not supported.');
  if (text !== '-1' && !/^\d{1,15}$/.test(text)) throw new ProtocolError('A length is not a whole number.');
  return Number(text);
}
