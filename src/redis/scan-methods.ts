/** The methods of a ShardedRedis that scan: in the forms of ioredis, and as async iterables. */

import type { RedisKey } from 'ioredis';
import { addMethods, type CommandOwner, type ReplyEncoding, takeCallback, tellCallback } from './commander.ts';
import type { ElementCommand, ElementScan, ScannedElement } from './scans/element-scan.ts';
import type { KeyScan } from './scans/scan.ts';
import type { ElementScanOptions, ScanOptions } from './scans/scan-options.ts';
import type { ScanStream, ScanStreamOptions } from './scans/scan-stream.ts';
import type { Scans } from './scans/scans.ts';

/** What options of HSCAN, SSCAN and ZSCAN say of the elements: text, or bytes. */
type ScanOfText = ElementScanOptions & { readonly buffers?: false | undefined };
type ScanOfBytes = ElementScanOptions & { readonly buffers: true };

/** What is in one key: with options or nothing an async iterable, with a cursor as in ioredis. */
interface ElementScanMethod<Command extends ElementCommand> {
  (key: RedisKey, options?: ScanOfText): ElementScan<ScannedElement<string>[Command]>;
  (key: RedisKey, options: ScanOfBytes): ElementScan<ScannedElement<Buffer>[Command]>;
  (key: RedisKey, cursor: string | number, ...args: unknown[]): Promise<[cursor: string, elements: string[]]>;
}

type ElementStreamMethod<Item> = (key: RedisKey, options?: ScanStreamOptions) => ScanStream<Item>;

export interface ScanMethods {
  /**
   * Keys of all nodes. With options or nothing, an async iterable over all nodes at once, whose `cursor` leads a later scan
   * on; with a cursor, as in ioredis, one page and the next cursor.
   */
  scan(options?: ScanOptions & { readonly buffers?: false }): KeyScan<string>;
  scan(options: ScanOptions & { readonly buffers: true }): KeyScan<Buffer>;
  scan(cursor: string | number, ...args: unknown[]): Promise<[cursor: string, keys: string[]]>;
  scanBuffer(cursor: string | number, ...args: unknown[]): Promise<[cursor: Buffer, keys: Buffer[]]>;
  hscan: ElementScanMethod<'hscan'>;
  sscan: ElementScanMethod<'sscan'>;
  zscan: ElementScanMethod<'zscan'>;
  /** A stream of pages of keys, of all nodes at once. */
  scanStream(options?: ScanStreamOptions): ScanStream<string>;
  scanBufferStream(options?: ScanStreamOptions): ScanStream<Buffer>;
  hscanStream: ElementStreamMethod<string>;
  hscanBufferStream: ElementStreamMethod<Buffer>;
  sscanStream: ElementStreamMethod<string>;
  sscanBufferStream: ElementStreamMethod<Buffer>;
  zscanStream: ElementStreamMethod<string>;
  zscanBufferStream: ElementStreamMethod<Buffer>;
}

/** Puts the methods on the prototype of a class. @param scansOf  What scans for one of its objects. */
export function addScanMethods<Owner extends CommandOwner>(prototype: Owner, scansOf: (owner: Owner) => Scans): void {
  const pageOf = (encoding: ReplyEncoding) =>
    function (this: Owner, ...args: unknown[]) {
      const callback = takeCallback(args);
      const [cursor, ...rest] = args;
      return tellCallback(scansOf(this).page(cursor, rest, encoding), callback);
    };
  const page = pageOf('utf8');
  addMethods(prototype, {
    scan(this: Owner, ...args: unknown[]) {
      const [first] = args;
      return isOptions(first) ? scansOf(this).keys(first ?? {}) : page.apply(this, args);
    },
    scanBuffer: pageOf(null),
    ...streamsOf('scan', (owner: Owner, [options], encoding) =>
      scansOf(owner).keyStream(options as ScanStreamOptions | undefined, encoding),
    ),
  });
  for (const command of ['hscan', 'sscan', 'zscan'] as const) {
    addMethods(prototype, {
      [command](this: Owner, key: RedisKey, ...rest: unknown[]) {
        const [first] = rest;
        if (isOptions(first)) return scansOf(this).elements(command, key, first ?? {});
        return this.runCommand(command, [key, ...rest], 'utf8');
      },
      ...streamsOf(command, (owner: Owner, [key, options], encoding) =>
        scansOf(owner).elementStream(command, key as RedisKey, options as ScanStreamOptions | undefined, encoding),
      ),
    });
  }
}

/** `scanStream` and `scanBufferStream`. */
function streamsOf<Owner>(
  name: string,
  make: (owner: Owner, args: readonly unknown[], encoding: ReplyEncoding) => unknown,
) {
  const methodOf = (encoding: ReplyEncoding) =>
    function (this: Owner, ...args: unknown[]) {
      return make(this, args, encoding);
    };
  return { [`${name}Stream`]: methodOf('utf8'), [`${name}BufferStream`]: methodOf(null) };
}

/** Nothing or a plain object, as opposed to a cursor. */
function isOptions(value: unknown): value is object | undefined {
  return value === undefined || (typeof value === 'object' && value !== null && !Buffer.isBuffer(value));
}
