/** What the three kinds of nodes share: ids, counting, and what can be done with a node by its id. */

import type { Backend, CacheNode, Clearing, Listing } from 'shardring';
import { countingBackend, type NodeLoad } from './counting-backend.ts';

/** One node of the demo. */
export interface NodeParts {
  /** What the cache calls. */
  readonly backend: Backend;
  /** What looks after the node from outside, whatever fault is on: to count its keys and to remove them. */
  readonly inner: Listing & Clearing;
  stop(): void | Promise<void>;
  start(): void | Promise<void>;
}

export class NodeSet {
  readonly #nodes = new Map<string, NodeParts & { readonly load: NodeLoad }>();

  nextId(): string {
    return `node-${this.#nodes.size + 1}`;
  }

  add(id: string, parts: NodeParts): CacheNode {
    const load: NodeLoad = { reads: 0, writes: 0, failed: 0 };
    this.#nodes.set(id, { ...parts, load });
    return { id, backend: countingBackend(parts.backend, load) };
  }

  ids(): string[] {
    return [...this.#nodes.keys()];
  }

  readonly stopNode = async (id: string): Promise<void> => this.#get(id).stop();

  readonly startNode = async (id: string): Promise<void> => this.#get(id).start();

  readonly loads = (): ReadonlyMap<string, Readonly<NodeLoad>> =>
    new Map([...this.#nodes].map(([id, { load }]) => [id, { ...load }]));

  /** A scan may give a key more than once. */
  readonly countKeys = async (id: string): Promise<number> => {
    const keys = new Set<string>();
    for await (const key of this.#get(id).inner.scan({})) keys.add(key);
    return keys.size;
  };

  async clearAll(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map(({ inner }) => inner.clear({})));
  }

  #get(id: string) {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`There is no node ${id}.`);
    return node;
  }
}
