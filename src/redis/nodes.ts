/** The nodes of a ShardedRedis: from what the application says of them to servers, and from ids to those in force. */

import type { NodeEntry } from '../cluster/members.ts';
import { InvalidArgumentError } from '../errors/index.ts';
import type { Door } from '../nodes/attempt.ts';
import type { NodeId } from '../placement/node.ts';
import { commandClassOf, RedisBackend, RedisServer } from '../server/index.ts';
import type { CommandParser } from './invocation.ts';
import { RedisNode } from './node.ts';
import type { ParsedNode, ParsedShardedRedisOptions, ShardedRedisNode } from './options.ts';

/** Who hears of a node. */
export interface NodeListener {
  /** Its shared connection is lost: what else was opened to it may be too. */
  onDoubt(id: NodeId): void;
  /** The client that was made of it for the application has met an error. */
  onClientError(id: NodeId, error: Error): void;
}

export class RedisNodes {
  /** In force, in the order in which they came. */
  readonly inForce: ReadonlyMap<NodeId, RedisNode>;
  readonly #nodes = new Map<NodeId, RedisNode>();
  readonly #given = new Map<NodeId, ShardedRedisNode>();
  /** On its way in: subscriptions are prepared there before it is in force. */
  #joining: RedisNode | undefined;
  readonly #options: ParsedShardedRedisOptions;
  readonly #door: Door;
  readonly #listener: NodeListener;

  constructor(options: ParsedShardedRedisOptions, door: Door, listener: NodeListener) {
    this.inForce = this.#nodes;
    this.#door = door;
    this.#options = options;
    this.#listener = listener;
  }

  get ids(): readonly NodeId[] {
    return [...this.#nodes.keys()];
  }

  /** As the application gave those in force, without their shares, which the placement knows. */
  get given(): readonly ShardedRedisNode[] {
    return [...this.#given.values()].map(({ weight, zone, ...place }) => place);
  }

  /** Opens nothing: connections are made by the first call. */
  entryOf({ node, target, given }: ParsedNode): NodeEntry {
    const { id } = node;
    const { clock, timeoutMs } = this.#options;
    const listener = this.#listener;
    const server = new RedisServer(target, { ...this.#options, nodeName: id, onDoubt: () => listener.onDoubt(id) });
    const backend = new RedisBackend(server, { timeoutMs, clock });
    const redisNode = new RedisNode(id, server, backend, target, this.#door, (error) =>
      listener.onClientError(id, error),
    );
    const close = (limitMs: number) => {
      redisNode.endClient();
      return server.close(limitMs);
    };
    return {
      node,
      source: target.kind === 'borrowed' ? { field: 'client', of: target.client } : undefined,
      backend,
      joining: () => {
        this.#joining = redisNode;
      },
      joined: ({ observer }) => {
        redisNode.observer = observer;
        this.#joining = undefined;
        this.#nodes.set(id, redisNode);
        this.#given.set(id, given);
      },
      discard: () => {
        if (this.#joining === redisNode) this.#joining = undefined;
        void close(0);
      },
      left: () => {
        this.#nodes.delete(id);
        this.#given.delete(id);
      },
      close,
    };
  }

  /** In force, or on its way in. */
  opened(id: NodeId): RedisNode {
    return (this.#joining?.id === id ? this.#joining : this.#nodes.get(id))!;
  }

  /** @throws {InvalidArgumentError} */
  named(id: string): RedisNode {
    const node = this.#nodes.get(id);
    if (node !== undefined) return node;
    throw new InvalidArgumentError('nodeId', `one of ${this.ids.join(', ')}`, id, true);
  }

  /** Ends what waits for data at any node. */
  endWaits(): void {
    for (const { server } of this.#nodes.values()) server.endWaits();
  }
}

/** The parser of the library that a borrowed client is of. */
export function borrowedParser({ nodes }: Pick<ParsedShardedRedisOptions, 'nodes'>): CommandParser | undefined {
  for (const { target } of nodes) {
    if (target.kind === 'borrowed') return commandClassOf(target.client) as unknown as CommandParser;
  }
  return undefined;
}
