/**
 * From bytes to lines. Pure: what the chunks are cut into does not matter.
 *
 * A line ends with LF or CR LF; the last one may end with the file. Bytes that are no UTF-8 are an error, since decoding
 * them anyhow would make one key of several.
 */

import { Buffer, isUtf8 } from 'node:buffer';
import { TraceFormatError } from './trace-request.ts';

/** Consecutive lines, cut out of one chunk of bytes. */
export interface LineBatch {
  /** Number of the first of `lines`, counted from 1. */
  readonly firstNumber: number;
  readonly lines: readonly string[];
}

/** No line of a trace is near this long, but of a file that is none the first "line" may be all of it. */
const longestLineBytes = 2 ** 20;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** @throws {TraceFormatError} */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  source: string,
): AsyncGenerator<LineBatch, void, undefined> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let firstNumber = 1;
  for await (const chunk of chunks) {
    const bytes = asBuffer(chunk);
    const lastEnd = bytes.lastIndexOf(lineFeed);
    if (lastEnd !== -1) {
      const whole = Buffer.concat([...rest, bytes.subarray(0, lastEnd)]);
      const lines = split(whole, source, firstNumber);
      yield { firstNumber, lines };
      firstNumber += lines.length;
      [rest, restBytes] = [[], 0];
    }
    // A copy: whoever gives the chunks may use their memory again.
    const tail = Buffer.from(bytes.subarray(lastEnd + 1));
    if (tail.length === 0) continue;
    rest.push(tail);
    restBytes += tail.length;
    if (restBytes > longestLineBytes) throw new TraceFormatError(source, firstNumber, tooLong);
  }
  if (rest.length > 0) yield { firstNumber, lines: split(Buffer.concat(rest), source, firstNumber) };
}

const tooLong = `expected a line of at most ${longestLineBytes} bytes, got a longer one; is this a trace?`;

/** @param whole  One or more lines, without the last one's line end. */
function split(whole: Buffer, source: string, firstNumber: number): string[] {
  const isValid = isUtf8(whole);
  const lines: string[] = [];
  for (let start = 0; start <= whole.length; ) {
    const found = whole.indexOf(lineFeed, start);
    const end = found === -1 ? whole.length : found;
    const line = whole.subarray(start, end > start && whole[end - 1] === carriageReturn ? end - 1 : end);
    const number = firstNumber + lines.length;
    if (line.length > longestLineBytes) throw new TraceFormatError(source, number, tooLong);
    if (!isValid && !isUtf8(line))
      throw new TraceFormatError(source, number, 'expected text in UTF-8, got other bytes');
    lines.push(line.toString('utf8'));
    start = end + 1;
  }
  return lines;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
