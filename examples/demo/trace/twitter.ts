/**
 * The format of Twitter's production cache traces.
 *
 * Source: J. Yang, Y. Yue, R. Vinayak, "A large scale analysis of hundreds of in-memory cache clusters at Twitter",
 * OSDI 2020; the columns are those of https://github.com/twitter/cache-trace, without a header line:
 *
 *   timestamp,key,keySize,valueSize,clientId,operation,ttl      seconds, text, bytes, bytes, text, a name, seconds
 *
 *   get gets                               -> get
 *   set add replace cas append prepend     -> set      each changes what is stored; on what condition is not in the trace
 *   delete                                 -> delete
 *   incr decr                              -> increment
 *
 * A ttl of 0 is none. Of a read, a value size of 0 means that it missed: how large the value would be is not known.
 */

import {
  type ParsedLine,
  parseCount,
  quoted,
  type TraceFormat,
  type TraceOperation,
  type TraceRequest,
} from './trace-request.ts';

const operations: ReadonlyMap<string, TraceOperation> = new Map([
  ['get', 'get'],
  ['gets', 'get'],
  ['set', 'set'],
  ['add', 'set'],
  ['replace', 'set'],
  ['cas', 'set'],
  ['append', 'set'],
  ['prepend', 'set'],
  ['delete', 'delete'],
  ['incr', 'increment'],
  ['decr', 'increment'],
]);

const columns = ['timestamp', 'key', 'keySize', 'valueSize', 'clientId', 'operation', 'ttl'];
const counts = [0, 2, 3, 6];

export const twitterFormat: TraceFormat = {
  name: 'Twitter',
  shape: `\`${columns.join(',')}\``,
  parse(line): ParsedLine {
    const fields = line.split(',');
    if (fields.length !== 7) return { problem: `expected 7 fields between commas, got ${fields.length}` };
    const bad = counts.find((index) => parseCount(fields[index]!) === undefined);
    if (bad !== undefined) {
      return { problem: `${columns[bad]}: expected an integer of at least 0, got ${quoted(fields[bad]!)}` };
    }
    const op = operations.get(fields[5]!);
    if (op === undefined)
      return { problem: `operation: expected one of ${[...operations.keys()]}, got ${quoted(fields[5]!)}` };
    return { requests: [requestOf(op, fields[1]!, Number(fields[3]), Number(fields[6]))] };
  },
};

function requestOf(op: TraceOperation, key: string, valueBytes: number, ttlSeconds: number): TraceRequest {
  const saysSize = op === 'set' || (op === 'get' && valueBytes > 0);
  return {
    key,
    op,
    ...(saysSize ? { valueBytes } : {}),
    ...(ttlSeconds > 0 && op !== 'delete' ? { ttlMs: ttlSeconds * 1_000 } : {}),
  };
}
