/** The scans of a ShardedRedis: which nodes are asked, over what, and which of their keys count. */

import type { Fleet } from '../routing/fleet.ts';
import { copiesOf, holdersOf } from '../routing/topology.ts';
import type { ReplyEncoding } from './commander.ts';
import { type ElementCommand, type ElementScan, type ScannedElement, scanElements } from './element-scan.ts';
import { shownTextOf } from './key-text.ts';
import { type NodeCaller, NodeCommand } from './node-caller.ts';
import { type IsOwner, type KeyScan, scanAllPages, scanKeys, scanOnePage } from './scan.ts';
import type { ElementScanOptions, ScanArgument, ScanOptions } from './scan-options.ts';
import { nodesToScan, ownerAmong } from './scan-owner.ts';
import type { ScanNode } from './scan-pages.ts';
import { elementPages, ScanStream, type ScanStreamOptions, streamArguments } from './scan-stream.ts';

/** Sends a command of one key and gives its raw reply. */
type Send = (name: string, args: readonly unknown[]) => Promise<unknown>;

export class Scans {
  readonly #fleet: Fleet;
  readonly #caller: NodeCaller;
  readonly #keyPrefix: string;
  readonly #send: Send;
  readonly #begin: () => void;

  /** @param begin  Called before every page: throws if the client is closed, and connects it if it is not connected yet. */
  constructor(fleet: Fleet, caller: NodeCaller, keyPrefix: string, send: Send, begin: () => void) {
    this.#fleet = fleet;
    this.#caller = caller;
    this.#keyPrefix = keyPrefix;
    this.#send = send;
    this.#begin = begin;
  }

  keys(options: ScanOptions): KeyScan<string | Buffer> {
    const { nodes, isOwner } = this.#scope('scan', options.cursor);
    return scanKeys(nodes, options, isOwner);
  }

  elements<Name extends ElementCommand>(
    command: Name,
    key: string | Buffer,
    options: ElementScanOptions,
  ): ElementScan<ScannedElement<string>[Name]> {
    return scanElements(command, (cursor, args) => this.#elementPage(command, key, cursor, args), options);
  }

  /** ioredis' `scan(cursor, ...)`. */
  async page(
    cursor: unknown,
    args: readonly unknown[],
    encoding: ReplyEncoding,
  ): Promise<[string | Buffer, unknown[]]> {
    const [next, keys] = await scanOnePage(
      this.#everyNode('scan'),
      cursor,
      args.flat() as ScanArgument[],
      // Every page asks all nodes, so a key is its primary's.
      ownerAmong(this.#caller.ids, (stored) => holdersOf(this.#fleet.topology, this.#unprefixed(stored))),
    );
    return [encoding === null ? Buffer.from(next) : next, keys.map(itemIn(encoding))];
  }

  keyStream(options: ScanStreamOptions, encoding: ReplyEncoding): ScanStream<string | Buffer> {
    const { nodes, isOwner } = this.#scope('scan');
    const pages = scanAllPages(nodes, streamArguments(options), isOwner);
    return new ScanStream(itemsOf(pages, encoding), options);
  }

  elementStream(
    command: ElementCommand,
    key: string | Buffer,
    options: ScanStreamOptions,
    encoding: ReplyEncoding,
  ): ScanStream<string | Buffer> {
    const args = streamArguments(options);
    const pages = elementPages((cursor) => this.#elementPage(command, key, cursor, args));
    return new ScanStream(itemsOf(pages, encoding), options);
  }

  async #elementPage(
    command: ElementCommand,
    key: string | Buffer,
    cursor: string,
    args: readonly ScanArgument[],
  ): Promise<[cursor: string, elements: Buffer[]]> {
    return pageOf(await this.#send(command, [key, cursor, ...args]));
  }

  /** The nodes to ask and whose copies count: settled here, for as long as the scan runs. */
  #scope(command: string, cursor?: unknown): { nodes: ScanNode[]; isOwner: IsOwner } {
    const { health, topology } = this.#fleet;
    const all = this.#everyNode(command);
    const ids = nodesToScan(this.#caller.ids, copiesOf(topology), (id) => health.stateOf(id) !== 'down', cursor);
    return {
      nodes: all.filter(({ id }) => ids.includes(id)),
      isOwner: ownerAmong(ids, (stored) => holdersOf(topology, this.#unprefixed(stored))),
    };
  }

  /** The prefix is no part of what is hashed. */
  #unprefixed(stored: string): string {
    return stored.startsWith(this.#keyPrefix) ? stored.slice(this.#keyPrefix.length) : stored;
  }

  #everyNode(command: string): ScanNode[] {
    return this.#caller.ids.map((id) => ({
      id,
      scanPage: async (cursor, args) => {
        this.#begin();
        return pageOf(await this.#caller.call(id, new NodeCommand(command, [cursor, ...args], false)));
      },
    }));
  }
}

/** A reply of SCAN and its kin, as the server sends it. */
function pageOf(reply: unknown): [cursor: string, items: Buffer[]] {
  const [cursor, items] = reply as [Buffer, Buffer[]];
  return [cursor.toString(), items];
}

const itemIn =
  (encoding: ReplyEncoding) =>
  (bytes: Buffer): string | Buffer =>
    encoding === null ? bytes : shownTextOf(bytes);

async function* itemsOf(
  pages: AsyncIterable<readonly Buffer[], void, undefined>,
  encoding: ReplyEncoding,
): AsyncGenerator<(string | Buffer)[], void, undefined> {
  for await (const page of pages) yield page.map(itemIn(encoding));
}
