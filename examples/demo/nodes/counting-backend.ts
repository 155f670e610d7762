/** Counts what one node is asked, key by key, on the way to its backend. Probes are not counted. */

import type { Backend } from 'shardring';
import { intercept } from 'shardring/testing';

/** What a node was asked since the start. A call on many keys counts each of them. */
export interface NodeLoad {
  /** Keys asked for, whatever the answer. */
  reads: number;
  /** Keys written, removed or changed. */
  writes: number;
  /** Of `reads` and `writes`, the keys of calls that failed at this node. */
  failed: number;
}

const reads = new Set(['get', 'getMany', 'getWithExpiry', 'expiresAt']);
const uncounted = new Set(['ping', 'scan', 'clear']);

/** @param load  What is counted is added here. */
export function countingBackend(backend: Backend, load: NodeLoad): Backend {
  const counting = intercept(backend, (operation, args, next) => {
    const reply = next(...args);
    if (uncounted.has(operation)) return reply;
    const [keys] = args;
    const count = Array.isArray(keys) ? keys.length : 1;
    load[reads.has(operation) ? 'reads' : 'writes'] += count;
    // The caller hears of the failure; this branch only counts it.
    Promise.resolve(reply).catch(() => {
      load.failed += count;
    });
    return reply;
  });
  return Object.assign(counting, { endsItsCalls: backend.endsItsCalls });
}
