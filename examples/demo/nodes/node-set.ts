/** What the three kinds of nodes share: ids, counting, and what can be done with a node by its id. */

import type { CacheNode } from 'shardring';
import { CountingBackend, type FullBackend, type NodeLoad } from './counting-backend.ts';

/** One node of the demo. */
export interface NodeParts {
  /** What the cache calls. */
  readonly backend: FullBackend;
  /** What looks after the node from outside, whatever fault is on: to count its keys and to remove them. */
  readonly inner: FullBackend;
  stop(): void | Promise<void>;
  start(): void | Promise<void>;
}

export class NodeSet {
  readonly #nodes = new Map<string, NodeParts & { readonly counting: CountingBackend }>();

  nextId(): string {
    return `node-${this.#nodes.size + 1}`;
  }

  add(id: string, parts: NodeParts): CacheNode {
    const counting = new CountingBackend(parts.backend);
    this.#nodes.set(id, { ...parts, counting });
    return { id, backend: counting };
  }

  ids(): string[] {
    return [...this.#nodes.keys()];
  }

  readonly stopNode = async (id: string): Promise<void> => this.#get(id).stop();

  readonly startNode = async (id: string): Promise<void> => this.#get(id).start();

  readonly loads = (): ReadonlyMap<string, Readonly<NodeLoad>> =>
    new Map([...this.#nodes].map(([id, { counting }]) => [id, { ...counting.load }]));

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
