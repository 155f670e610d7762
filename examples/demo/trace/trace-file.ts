/** A trace in a file, plain or `.zst`, read as a stream: its size does not matter. */

import { createReadStream } from 'node:fs';
import { requestsOf } from './requests.ts';
import type { TraceRequest } from './trace-request.ts';
import { unzstd } from './unzstd.ts';

/**
 * @param limit  Most requests to give, at least 1; Infinity for all.
 * @throws {TraceFormatError} While it is read. Errors of the file system come as they are.
 */
export async function* readTrace(path: string, limit: number): AsyncGenerator<TraceRequest, void, undefined> {
  const file = createReadStream(path);
  const bytes = path.endsWith('.zst') ? unzstd(file, path) : file;
  let given = 0;
  for await (const request of requestsOf(bytes, path)) {
    yield request;
    if (++given >= limit) return;
  }
}

/** Reads the trace once, up to `limit`, and so checks it before the first request is sent. */
export async function countRequests(path: string, limit: number): Promise<number> {
  let count = 0;
  for await (const _ of readTrace(path, limit)) count++;
  return count;
}
