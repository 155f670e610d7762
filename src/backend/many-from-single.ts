/**
 * The many-key calls, made of single ones for adapters that have none.
 *
 * All single calls are started at once and all are waited for, so that nothing goes on unseen after the answer. A key
 * that comes twice is sent once, since two calls for one key in flight together could be executed in either order.
 */

import { detailOf, isShardringError, UnknownOutcomeError } from '../errors/index.ts';
import type { Backend, CallOptions, ManyKeys, SetOptions } from './backend.ts';

/** @param context  For error messages. */
export function manyFromSingle(backend: Backend, context: { readonly nodeName: string }): ManyKeys {
  return {
    /** Rejects with the first failure in the order of `keys`, as there is no place for it among the values. */
    async getMany(keys, options) {
      const outcomes = await settleEach(keys, options, (key) => backend.get(key, options));
      return keys.map((key) => {
        const outcome = outcomes.get(key)!;
        if (outcome.status === 'rejected') throw outcome.reason;
        return outcome.value;
      });
    },

    /**
     * Failures by entry; both entries of a key that comes twice share its outcome.
     *
     * Rejects, with the first failure, when every entry failed in the same way: then it was the node and not the entries.
     */
    async setMany(entries, options) {
      const lastValues = new Map(entries);
      const set = (key: string) => backend.set(key, lastValues.get(key)!, options);
      const outcomes = await settleEach(lastValues.keys(), options, set);
      const failures = new Map<number, unknown>();
      entries.forEach(([key], index) => {
        const outcome = outcomes.get(key)!;
        if (outcome.status === 'rejected') failures.set(index, outcome.reason);
      });
      if (failures.size > 0) options.signal?.throwIfAborted();
      const kinds = new Set([...failures.values()].map(kindOf));
      if (failures.size === entries.length && kinds.size === 1) throw failures.get(0);
      return failures;
    },

    /**
     * Whether each delete removed a value; only the first of a key that comes twice can have.
     *
     * Rejects with the first failure when all failed, else with an {@link UnknownOutcomeError}: some keys were deleted.
     */
    async deleteMany(keys, options) {
      const outcomes = await settleEach(keys, options, (key) => backend.delete(key, options));
      const removed = new Set<string>();
      const failures: unknown[] = [];
      for (const [key, outcome] of outcomes) {
        if (outcome.status === 'rejected') failures.push(outcome.reason);
        else if (outcome.value) removed.add(key);
      }
      if (failures.length > 0) {
        options.signal?.throwIfAborted();
        const [cause] = failures;
        throw failures.length === outcomes.size
          ? cause
          : new UnknownOutcomeError(context.nodeName, 'deleteMany', { cause });
      }
      return keys.map((key) => removed.delete(key));
    },
  };
}

async function settleEach<Result>(
  keys: Iterable<string>,
  { signal }: CallOptions | SetOptions,
  call: (key: string) => Promise<Result>,
): Promise<Map<string, PromiseSettledResult<Result>>> {
  signal?.throwIfAborted();
  const list = [...new Set(keys)];
  const settled = await Promise.allSettled(list.map(async (key) => call(key)));
  return new Map(list.map((key, index) => [key, settled[index]!]));
}

/** Errors of one kind say the same thing about the call: our own by code, others by class. */
const kindOf = (error: unknown): unknown => (isShardringError(error) ? error.code : detailOf(error, 'constructor'));
