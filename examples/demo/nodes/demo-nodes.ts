/** What the demo needs of its nodes, wherever they are: in memory, on given servers, or on servers that it starts. */

import type { CacheNode } from 'shardring';
import type { NodeLoad } from './counting-backend.ts';

export interface DemoNodes {
  /** What they are, in a few words. */
  readonly description: string;
  /** What else there is to know of them: one line, or '' for nothing. */
  readonly note: string;
  /** What `stopNode` and `startNode` do to a node, as sentences without a subject: 'is killed …'. */
  readonly stopping: string;
  readonly starting: string;
  /** Whether a node has lost its keys when it is back. */
  readonly losesKeys: boolean;
  /** Nothing but the demo writes to them, and nothing evicts. */
  readonly areOurs: boolean;

  /** The nodes to begin with. */
  readonly initial: readonly CacheNode[];
  /** One more, to join later. Its backend belongs to the cache that it joins. */
  addOne(): Promise<CacheNode>;

  stopNode(id: string): Promise<void>;
  startNode(id: string): Promise<void>;

  /** What each node was asked so far, by its id. */
  loads(): ReadonlyMap<string, Readonly<NodeLoad>>;
  /** How many keys a node really holds: asks the node itself. */
  countKeys(id: string): Promise<number>;

  /** Removes the demo's keys where it was a guest; the nodes serve no more. Before the cache, which owns the backends, is closed. */
  cleanUp(): Promise<void>;
  /** Ends what was started here. Idempotent. */
  close(): Promise<void>;
}
