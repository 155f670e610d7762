/**
 * What is asked of a node, as data: which call it is, of which keys, what it changes, and with what.
 *
 * So the same operation can be asked of one node after the other, and whoever stands at the door can tell what passes.
 */

import type { CallOptions } from '../backend/backend.ts';
import type { Member } from './node.ts';

/**
 * reads   changes nothing
 * sets    leaves the same behind however often it is done: a set, a delete, a new expiry
 * counts  changes more each time it is done: an increment, and whatever is not known to be one of the others
 */
export type Effect = 'reads' | 'sets' | 'counts';

/** @typeParam At  The kind of nodes that can be asked. @typeParam Limits  What they are told of the call's time. */
export interface Operation<Reply, At extends Member = Member, Limits extends CallOptions = CallOptions> {
  /** The call as its caller knows it, for errors and events: 'get'. */
  readonly name: string;
  readonly keys: readonly string[];
  readonly effect: Effect;
  /** True for what is done in steps that pass the door one by one: they are observed, and not the whole. */
  readonly isInSteps?: boolean;
  /** Asks the node, at once. */
  run(member: At, limits: Limits): Promise<Reply>;
}

/** Of one key. */
export interface KeyOperation<Reply> extends Operation<Reply> {
  readonly key: string;
}
