/** Decompresses Zstandard as it streams, in bounded memory, at the pace at which the result is read. */

import { Decompress } from 'fzstd';
import { TraceFormatError } from './trace-request.ts';

/**
 * Compressed bytes that are decompressed in one go, in bytes. What comes out of them waits in memory until it is read;
 * a few bytes can stand for 128 KiB, so this is what bounds memory.
 */
const stepBytes = 4_096;

/** @throws {TraceFormatError} The data is damaged or ends too early. */
export async function* unzstd(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  source: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let ready: Uint8Array[] = [];
  const decompress = new Decompress((bytes) => {
    if (bytes.length > 0) ready.push(bytes);
  });
  const push = (bytes: Uint8Array, isLast: boolean) => {
    try {
      decompress.push(bytes, isLast);
    } catch (cause) {
      throw new TraceFormatError(source, undefined, `cannot be decompressed (${(cause as Error).message})`, { cause });
    }
    const taken = ready;
    ready = [];
    return taken;
  };
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; start += stepBytes) {
      // A copy, since an incomplete block is kept until its rest comes, and the chunk's memory may be used again.
      yield* push(chunk.slice(start, start + stepBytes), false);
    }
  }
  yield* push(new Uint8Array(0), true);
}
