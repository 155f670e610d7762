/**
 * The format of the ARC traces (`.lis`).
 *
 * Source: N. Megiddo, D. S. Modha, "ARC: A Self-Tuning, Low Overhead Replacement Cache", USENIX FAST 2003, pp. 115-130.
 * A line is four integers, `start count ignored ignored`: `count` reads, of the blocks start to start + count - 1.
 */

import { type ParsedLine, parseCount, quoted, type TraceFormat, type TraceRequest } from './trace-request.ts';

export const arcFormat: TraceFormat = {
  name: 'ARC',
  shape: '`start count ignored ignored`',
  parse(line): ParsedLine {
    const fields = line.trim().split(/\s+/);
    if (fields.length !== 4) return { problem: `expected 4 integers, got ${quoted(line)}` };
    const numbers = fields.map(parseCount);
    const bad = numbers.indexOf(undefined);
    if (bad !== -1)
      return { problem: `field ${bad + 1}: expected an integer of at least 0, got ${quoted(fields[bad]!)}` };
    const [start, count] = numbers as [number, number];
    if (count === 0) return { problem: 'field 2 (count): expected at least 1 block, got 0' };
    if (!Number.isSafeInteger(start + count)) return { problem: 'fields 1 and 2: the last block is beyond 2^53' };
    return { requests: count === 1 ? [{ key: `${start}`, op: 'get' }] : readsOf(start, count) };
  },
};

/** One by one, since a single line may stand for more reads than memory would hold. */
function* readsOf(start: number, count: number): Generator<TraceRequest> {
  for (let block = start; block < start + count; block++) yield { key: `${block}`, op: 'get' };
}
