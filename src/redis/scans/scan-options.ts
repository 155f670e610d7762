/** What a scan looks for, checked, and as arguments of SCAN. */

import { InvalidArgumentError } from '../../errors/index.ts';
import { expectBoolean, expectInteger, expectOptions, expectSignal, expectString } from '../../runtime/validate.ts';
import { encodeKey } from '../../server/index.ts';

export interface ElementScanOptions {
  /** A glob as Redis understands it: `user:*`. Default: everything. */
  readonly match?: string | Buffer | undefined;
  /** About how many elements a server looks at for one page. Integer of at least 1. Default 1,000 (Redis' own is 10). */
  readonly count?: number | undefined;
  /** Ends the scan: waiting for a page rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The `cursor` of an earlier scan with the same `match` and `type`: goes on where that one stood. */
  readonly cursor?: string | undefined;
  /** Yields bytes instead of strings. Default false. */
  readonly buffers?: boolean | undefined;
}

export interface ScanOptions extends ElementScanOptions {
  /** Only keys of this type: `string`, `list`, `set`, `zset`, `hash`, `stream`. Redis 6 and later. Default: all. */
  readonly type?: string | undefined;
}

export type ScanArgument = string | Buffer | number;

export interface ParsedScan {
  /** What follows the cursor. */
  readonly args: readonly ScanArgument[];
  /** Equal for scans that look for the same. Bytes and text that mean the same are the same. */
  readonly scanned: string;
  readonly signal: AbortSignal | undefined;
  readonly cursor: string | undefined;
  readonly buffers: boolean;
}

const defaultCount = 1_000;

/** @param known  The options of this kind of scan. @throws {InvalidArgumentError} */
export function parseScan(options: unknown, known: readonly string[]): ParsedScan {
  const { match, type, count, signal, cursor, buffers } = expectOptions('options', options, known);
  const pattern = match === undefined ? undefined : encodePattern(match);
  const typeName = type === undefined ? undefined : expectString('options.type', type);
  const pageSize = count === undefined ? defaultCount : expectInteger('options.count', count, 1);
  return {
    args: [
      ...(pattern === undefined ? [] : ['MATCH', pattern]),
      ...(typeName === undefined ? [] : ['TYPE', typeName]),
      ...['COUNT', pageSize],
    ],
    scanned: JSON.stringify([pattern === undefined ? null : Buffer.from(pattern).toString('latin1'), typeName ?? null]),
    signal: expectSignal('options.signal', signal),
    cursor: cursor === undefined ? undefined : expectString('options.cursor', cursor),
    buffers: buffers === undefined ? false : expectBoolean('options.buffers', buffers),
  };
}

/** @throws {InvalidArgumentError} */
export function encodePattern(match: unknown): string | Buffer {
  if (typeof match === 'string') return encodeKey(match);
  if (Buffer.isBuffer(match)) return match;
  throw new InvalidArgumentError('options.match', 'a string or a Buffer', match);
}

export const elementScanOptions = ['match', 'count', 'signal', 'cursor', 'buffers'] as const;
export const keyScanOptions = [...elementScanOptions, 'type'] as const;
