/** HSCAN, SSCAN and ZSCAN of one key as async iterables: what is in it, at least once, a page at a time. */

import { InvalidArgumentError } from '../../errors/index.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { ownBytes } from '../../runtime/own-bytes.ts';
import { type ScanPosition, scanStart } from '../../server/index.ts';
import { shownTextOf } from '../key-text.ts';
import { type ElementScanOptions, elementScanOptions, parseScan, type ScanArgument } from './scan-options.ts';

/** One page: a flat list as the server sends it, and where to go on, undefined at the end. */
export interface ElementPage {
  readonly next: ScanPosition | undefined;
  readonly items: Buffer[];
}

/** The page at `position`, or the first one where that is not of the server that answers. @param args  What follows the cursor. */
export type ReadElements = (position: ScanPosition, args: readonly ScanArgument[]) => Promise<ElementPage>;

type Text = string | Buffer;

/** What an element is for each command: a member, a field with its value, a member with its score. */
const elementMakers = {
  sscan: { width: 1, make: (member: Text) => member },
  hscan: { width: 2, make: (field: Text, value: Text) => [field, value] as const },
  zscan: { width: 2, make: (member: Text, score: Text) => [member, scoreOf(score)] as const },
} as const;

export type ElementCommand = keyof typeof elementMakers;

/** What each command yields, with strings or with Buffers. */
export interface ScannedElement<Kind extends Text> {
  readonly sscan: Kind;
  readonly hscan: readonly [field: Kind, value: Kind];
  readonly zscan: readonly [member: Kind, score: number];
}

const infinities: Readonly<Record<string, number>> = { inf: Infinity, '-inf': -Infinity };

function scoreOf(text: Text): number {
  const score = text.toString();
  return infinities[score] ?? Number(score);
}

export class ElementScan<Element> implements AsyncIterableIterator<Element>, AsyncDisposable {
  readonly #elements: AsyncGenerator<Element, void, undefined>;
  #position: ScanPosition;

  constructor(command: ElementCommand, readPage: ReadElements, options: ElementScanOptions) {
    const { args, signal, cursor, buffers } = parseScan(options, elementScanOptions);
    this.#position = cursor === undefined ? scanStart : parsePosition(cursor);
    const { width, make } = elementMakers[command];
    const textOf = buffers ? ownBytes : shownTextOf;
    this.#elements = this.#read(
      readPage,
      args,
      signal,
      (flat, index) => {
        const [first, second] = [flat[index]!, width === 2 ? flat[index + 1]! : flat[index]!];
        return (make as (first: Text, second: Text) => unknown)(textOf(first), textOf(second)) as Element;
      },
      width,
    );
  }

  /**
   * Where the scan stands, as an opaque string: a new scan of the key gives the page in hand again. '0' before the first page
   * and at the end. Where another server process has the key by then, the scan begins anew.
   */
  get cursor(): string {
    const { cursor, run } = this.#position;
    return run === undefined ? cursor : `${cursor}@${run}`;
  }

  async *#read(
    readPage: ReadElements,
    args: readonly ScanArgument[],
    signal: AbortSignal | undefined,
    elementAt: (flat: readonly Buffer[], index: number) => Element,
    width: number,
  ): AsyncGenerator<Element, void, undefined> {
    do {
      signal?.throwIfAborted();
      const { next, items } = await untilAborted(readPage(this.#position, args), signal);
      for (let index = 0; index < items.length; index += width) yield elementAt(items, index);
      this.#position = next ?? scanStart;
    } while (this.#position !== scanStart);
  }

  next(): Promise<IteratorResult<Element, void>> {
    return this.#elements.next();
  }

  return(): Promise<IteratorResult<Element, void>> {
    return this.#elements.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

/** A cursor without a run was written by an earlier release. It could be anybody's, so the scan begins anew. */
function parsePosition(text: string): ScanPosition {
  const [, cursor, run] = /^(\d{1,20})(?:@([\w-]{1,64}))?$/.exec(text) ?? [];
  if (cursor === undefined) {
    throw new InvalidArgumentError('options.cursor', 'the `cursor` of an earlier scan of this key', text);
  }
  return run === undefined ? scanStart : { cursor, run };
}

/** @param readPage  Sends the command for the key. @throws {InvalidArgumentError} */
export function scanElements<Name extends ElementCommand>(
  command: Name,
  readPage: ReadElements,
  options: ElementScanOptions & { readonly buffers: true },
): ElementScan<ScannedElement<Buffer>[Name]>;
export function scanElements<Name extends ElementCommand>(
  command: Name,
  readPage: ReadElements,
  options: ElementScanOptions,
): ElementScan<ScannedElement<string>[Name]>;
export function scanElements(command: ElementCommand, readPage: ReadElements, options: ElementScanOptions) {
  return new ElementScan(command, readPage, options);
}
