/**
 * What happens inside, for who wants to measure or trace it: channels of `node:diagnostics_channel`, by name. They hold names of
 * nodes and calls and no key, value or password, and cost nothing while nobody subscribes.
 */

import { channel } from 'node:diagnostics_channel';

/** Published on `shardring:node` at the end of every call to a node, failed ones included. */
export interface NodeCall {
  readonly node: string;
  /** The call or command, as its caller knows it: 'get', 'hset'. */
  readonly operation: string;
  /** How many keys it is about. */
  readonly keys: number;
  /** reads: changes nothing; sets: may be repeated; counts: changes more each time. */
  readonly effect: 'reads' | 'sets' | 'counts';
  /** Milliseconds until the node's answer. */
  readonly elapsedMs: number;
  /** Undefined where the node has answered; the reason of the signal where the caller has aborted. */
  readonly error: unknown;
}

export const nodeCalls = channel('shardring:node');
