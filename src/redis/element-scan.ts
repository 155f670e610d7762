/** HSCAN, SSCAN and ZSCAN of one key as async iterables: what is in it, at least once, a page at a time. */

import { InvalidArgumentError, NodeUnavailableError } from '../errors/index.ts';
import { untilAborted } from '../runtime/abort.ts';
import { shownTextOf } from './key-text.ts';
import { type ElementScanOptions, elementScanOptions, parseScan, type ScanArgument } from './scan-options.ts';

/** One page: the server's next cursor, and a flat list as the server sends it. */
export type ReadElements = (
  cursor: string,
  args: readonly ScanArgument[],
  signal?: AbortSignal,
) => Promise<readonly [cursor: string, elements: Buffer[]]>;

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
  #cursor: string;

  constructor(command: ElementCommand, readPage: ReadElements, options: ElementScanOptions) {
    const { args, signal, cursor = '0', buffers } = parseScan(options, elementScanOptions);
    if (!/^\d{1,20}$/.test(cursor)) {
      throw new InvalidArgumentError('options.cursor', 'the `cursor` of an earlier scan of this key', cursor);
    }
    this.#cursor = cursor;
    const { width, make } = elementMakers[command];
    const textOf = buffers ? (bytes: Buffer) => bytes : shownTextOf;
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

  /** The server's cursor of the page in hand, which a new scan of the key gives again. '0' before the first page and at the end. */
  get cursor(): string {
    return this.#cursor;
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
      const [next, flat] = await untilAborted(this.#ask(readPage, args, signal), signal);
      for (let index = 0; index < flat.length; index += width) yield elementAt(flat, index);
      this.#cursor = next;
    } while (this.#cursor !== '0');
  }

  async #ask(readPage: ReadElements, args: readonly ScanArgument[], signal: AbortSignal | undefined) {
    try {
      return await readPage(this.#cursor, args, signal);
    } catch (error) {
      // The server may come back as another process, with other cursors; see scan-pages.ts.
      if (error instanceof NodeUnavailableError) this.#cursor = '0';
      throw error;
    }
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
