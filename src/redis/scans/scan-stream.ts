/**
 * `scanStream` and its kin, as ioredis has them: a readable stream of pages, each an array.
 *
 * Where the pages come from is an argument: of all nodes concurrently, or of one key. The options are ioredis' own, with those of
 * the stream among them, and COUNT is the server's (10) where none is given.
 */

import { Readable, type ReadableOptions } from 'node:stream';
import { expectSettings } from '../../runtime/validate.ts';
import { type ScanPosition, scanStart } from '../../server/index.ts';
import type { ElementPage, ReadElements } from './element-scan.ts';
import { encodePattern, type ScanArgument } from './scan-options.ts';

export interface ScanStreamOptions extends ReadableOptions {
  readonly match?: string | Buffer | undefined;
  readonly type?: string | undefined;
  readonly count?: number | string | undefined;
  /** Of `hscanStream`: fields without their values. Redis 7.4 and later. */
  readonly noValues?: boolean | undefined;
}

/** What follows the cursor. @throws {InvalidArgumentError} These are no options, or the pattern is none. */
export function streamArguments(options: ScanStreamOptions): ScanArgument[] {
  const { match, type, count, noValues } = expectSettings('options', options) as ScanStreamOptions;
  return [
    ...(match ? ['MATCH', encodePattern(match)] : []),
    ...(type ? ['TYPE', type] : []),
    ...(count ? ['COUNT', String(count)] : []),
    ...(noValues ? ['NOVALUES'] : []),
  ];
}

export class ScanStream<Item> extends Readable {
  readonly #pages: AsyncIterator<readonly Item[], void, undefined>;
  #isClosed = false;

  constructor(pages: AsyncIterable<readonly Item[], void, undefined>, options: ScanStreamOptions = {}) {
    const { match, type, count, noValues, ...readable } = options;
    super({ objectMode: true, ...readable });
    this.#pages = pages[Symbol.asyncIterator]();
  }

  /** Ends the stream after the page under way. */
  close(): void {
    this.#isClosed = true;
  }

  override _read(): void {
    if (this.#isClosed) {
      this.push(null);
      return;
    }
    this.#pages.next().then(
      ({ done, value }) => void this.push(done ? null : value),
      (error: unknown) => void this.destroy(error as Error),
    );
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // A page under way is not waited for.
    void this.#pages.return?.().catch(() => undefined);
    callback(error);
  }
}

/** The pages of one key's HSCAN, SSCAN or ZSCAN. */
export async function* elementPages(
  readPage: ReadElements,
  args: readonly ScanArgument[],
): AsyncGenerator<Buffer[], void, undefined> {
  let position: ScanPosition | undefined = scanStart;
  while (position !== undefined) {
    const page: ElementPage = await readPage(position, args);
    yield page.items;
    position = page.next;
  }
}
