/**
 * The scans of a ShardedRedis: which nodes are asked, over what, and which of their keys count.
 *
 * A scan keeps to the nodes that were there when it began. One that is removed meanwhile takes the keys along that have not
 * been read: the scan then ends with an error, and does not go on as if it were complete.
 */

import { NodesChangedError } from '../../errors/index.ts';
import type { NodeId } from '../../placement/node.ts';
import type { Fleet } from '../../routing/fleet.ts';
import { ownBytes } from '../../runtime/own-bytes.ts';
import { type CallLimits, type CommandArgument, pageAt, type ScanPosition } from '../../server/index.ts';
import { routeOf } from '../../topology/route.ts';
import { copiesOf, type Topology } from '../../topology/topology.ts';
import type { ReplyEncoding } from '../commander.ts';
import { routingTextOf, shownTextOf } from '../key-text.ts';
import type { RedisNode } from '../node.ts';
import { type NodeCaller, NodeCommand } from '../node-caller.ts';
import {
  type ElementCommand,
  type ElementPage,
  type ElementScan,
  type ReadElements,
  type ScannedElement,
  scanElements,
} from './element-scan.ts';
import { type KeyScan, type ScanScope, scanAllPages, scanKeys, scanOnePage } from './scan.ts';
import type { ElementScanOptions, ScanArgument, ScanOptions } from './scan-options.ts';
import { nodesToScan, ownerAmong } from './scan-owner.ts';
import type { ScanNode } from './scan-pages.ts';
import { elementPages, ScanStream, type ScanStreamOptions, streamArguments } from './scan-stream.ts';

/** See `Dispatcher.readKey`. */
type ReadKey = <Reply>(
  name: string,
  key: string | Buffer,
  ask: (node: NodeId, storedKey: CommandArgument, limits: CallLimits) => Promise<Reply>,
  preferred: NodeId | undefined,
) => Promise<Reply>;

export class Scans {
  readonly #fleet: Fleet;
  readonly #caller: NodeCaller;
  readonly #keyPrefix: string;
  readonly #readKey: ReadKey;
  readonly #begin: () => void;

  /** @param begin  Called before every page: throws if the client is closed, and connects it if it is not connected yet. */
  constructor(fleet: Fleet, caller: NodeCaller, keyPrefix: string, readKey: ReadKey, begin: () => void) {
    this.#fleet = fleet;
    this.#caller = caller;
    this.#keyPrefix = keyPrefix;
    this.#readKey = readKey;
    this.#begin = begin;
  }

  keys(options: ScanOptions): KeyScan<string | Buffer> {
    return scanKeys(this.#scope('scan', options.cursor), options);
  }

  elements<Name extends ElementCommand>(
    command: Name,
    key: string | Buffer,
    options: ElementScanOptions,
  ): ElementScan<ScannedElement<string>[Name]> {
    return scanElements(command, this.#elementReader(command, key), options);
  }

  /** ioredis' `scan(cursor, ...)`. */
  async page(
    cursor: unknown,
    args: readonly unknown[],
    encoding: ReplyEncoding,
  ): Promise<[string | Buffer, unknown[]]> {
    const limits = this.#caller.limits();
    const { topology } = this.#fleet;
    const nodes = this.#everyNode('scan', topology, () => limits);
    // Every page asks all nodes, so a key is its primary's.
    const scope = this.#scopeOf(nodes, topology);
    const [next, keys] = await scanOnePage(scope, cursor, args.flat() as ScanArgument[]);
    return [encoding === null ? Buffer.from(next) : next, keys.map(itemIn(encoding))];
  }

  keyStream(options: ScanStreamOptions = {}, encoding: ReplyEncoding): ScanStream<string | Buffer> {
    const pages = scanAllPages(this.#scope('scan'), streamArguments(options));
    return new ScanStream(itemsOf(pages, encoding), options);
  }

  elementStream(
    command: ElementCommand,
    key: string | Buffer,
    options: ScanStreamOptions = {},
    encoding: ReplyEncoding,
  ): ScanStream<string | Buffer> {
    const pages = elementPages(this.#elementReader(command, key), streamArguments(options));
    return new ScanStream(itemsOf(pages, encoding), options);
  }

  /** With copies it stays with the holder that answered last: at another one the scan would begin anew. */
  #elementReader(command: ElementCommand, key: string | Buffer): ReadElements {
    const keys = [Buffer.isBuffer(key) ? routingTextOf(key) : key];
    let last: RedisNode | undefined;
    let first: Topology | undefined;
    return async (position, args) => {
      first ??= this.#fleet.topology;
      const ask = async (id: NodeId, storedKey: CommandArgument, limits: CallLimits) => {
        const node = this.#caller.nodeAt(id, command);
        const orderAt = (cursor: string) => new NodeCommand(command, [storedKey, cursor, ...args], false, keys);
        const page = await this.#pageAt(node, command, position, orderAt, limits);
        return { node, page };
      };
      const { node, page } = await this.#readKey(command, key, ask, last?.id);
      // What another node has under this key by another placement is not the rest of what has been read. The page may have been
      // asked for by any topology that has been in force since the first one was begun.
      if (last !== undefined && node !== last && this.#fleet.topology !== first) throw moved(command);
      last = node;
      return page;
    };
  }

  async #pageAt(
    node: RedisNode,
    command: string,
    position: ScanPosition,
    orderAt: (cursor: string) => NodeCommand,
    limits: CallLimits,
  ): Promise<ElementPage> {
    const ask = async (cursor: string) => pageOf(await this.#caller.call(node.id, orderAt(cursor), limits));
    const { page, next } = await this.#whileThere(node, command, () =>
      pageAt(this.#caller.serverOf(node), position, command, limits, ask),
    );
    return { next, items: page.items };
  }

  /** @throws {NodesChangedError} The node was removed. */
  async #whileThere<Reply>(node: RedisNode, command: string, ask: () => Promise<Reply>): Promise<Reply> {
    if (!this.#caller.has(node)) throw removed(node, command);
    try {
      return await ask();
    } catch (cause) {
      throw this.#caller.has(node) ? cause : removed(node, command, cause);
    }
  }

  /** The nodes to ask and whose copies count: settled here, for as long as the scan runs. */
  #scope(command: string, cursor?: unknown): ScanScope {
    const { health, topology } = this.#fleet;
    const all = this.#everyNode(command, topology);
    const allIds = all.map(({ id }) => id);
    const ids = nodesToScan(allIds, copiesOf(topology), (id) => health.stateOf(id) !== 'down', cursor);
    const nodes = all.filter(({ id }) => ids.includes(id));
    return this.#scopeOf(nodes, topology);
  }

  #scopeOf(nodes: readonly ScanNode[], topology: Topology): ScanScope {
    const ids = nodes.map(({ id }) => id);
    const isOwner = ownerAmong(ids, (stored) => routeOf(topology, this.#unprefixed(stored)).holders);
    return { nodes, isOwner, checksum: topology.placement.checksum };
  }

  /** The prefix is no part of what is hashed. */
  #unprefixed(stored: string): string {
    return stored.startsWith(this.#keyPrefix) ? stored.slice(this.#keyPrefix.length) : stored;
  }

  /** @param limitsOf  Of each step. Default: a page is a call of its own. */
  #everyNode(command: string, { placement }: Topology, limitsOf = () => this.#caller.limits()): ScanNode[] {
    return placement.nodes.map(({ id }) => {
      const node = this.#caller.nodeAt(id, command);
      return {
        id,
        scanPage: async (position, args) => {
          this.#begin();
          const orderAt = (cursor: string) => new NodeCommand(command, [cursor, ...args], false);
          const { next, items } = await this.#pageAt(node, command, position, orderAt, limitsOf());
          return { next, keys: items };
        },
        runId: async () => {
          this.#begin();
          return this.#whileThere(node, command, async () => {
            this.#caller.inService(id, command);
            return this.#caller.serverOf(node).runId(command, limitsOf());
          });
        },
      };
    });
  }
}

function removed({ id }: RedisNode, command: string, cause?: unknown): NodesChangedError {
  const message = `node ${id} was removed while the scan ran. Begin the scan anew.`;
  return new NodesChangedError(command, message, { node: id, cause });
}

function moved(command: string): NodesChangedError {
  return new NodesChangedError(command, 'the key has another node since the nodes changed. Begin the scan anew.');
}

/** A reply of SCAN and its kin, as the server sends it. */
function pageOf(reply: unknown): { readonly cursor: string; readonly items: Buffer[] } {
  const [cursor, items] = reply as [Buffer, Buffer[]];
  return { cursor: cursor.toString(), items };
}

const itemIn =
  (encoding: ReplyEncoding) =>
  (bytes: Buffer): string | Buffer =>
    encoding === null ? ownBytes(bytes) : shownTextOf(bytes);

async function* itemsOf(
  pages: AsyncIterable<readonly Buffer[], void, undefined>,
  encoding: ReplyEncoding,
): AsyncGenerator<(string | Buffer)[], void, undefined> {
  for await (const page of pages) yield page.map(itemIn(encoding));
}
