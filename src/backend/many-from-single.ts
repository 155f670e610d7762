/**
 * The many-key calls, made of single ones for adapters that have none.
 *
 * All single calls are started at once and all are waited for, so that nothing goes on unseen after the answer. A key
 * that comes twice is sent once, since two calls for one key under way together could be executed in either order.
 */

import { detailOf, isShardringError, UnknownOutcomeError } from '../errors/index.ts';
import type { Backend, CallOptions, EntryFailures, ManyKeys, SetOptions, Value } from './backend.ts';

/** @param context  For error messages. */
export function manyFromSingle(backend: Backend, context: { readonly nodeName: string }): ManyKeys {
  return {
    getMany: (keys, options) => getManyBySingle(backend, keys, options),
    setMany: (entries, options) => setManyBySingle(backend, entries, options),
    deleteMany: (keys, options) => deleteManyBySingle(backend, keys, options, context.nodeName),
  };
}

/** Rejects with the first failure in the order of `keys`, as there is no place for it among the values. */
async function getManyBySingle(
  backend: Backend,
  keys: readonly string[],
  options: CallOptions,
): Promise<(Value | undefined)[]> {
  options.signal?.throwIfAborted();
  const outcomes = await settleEach(new Set(keys), (key) => backend.get(key, options));
  return keys.map((key) => {
    const outcome = outcomes.get(key)!;
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

/**
 * Failures by entry; both entries of a key that comes twice share its outcome.
 *
 * Rejects, with the first failure, when every entry failed in the same way: then it was the node and not the entries.
 */
async function setManyBySingle(
  backend: Backend,
  entries: readonly (readonly [key: string, value: Value])[],
  options: SetOptions,
): Promise<EntryFailures> {
  options.signal?.throwIfAborted();
  const lastValues = new Map(entries);
  const outcomes = await settleEach(lastValues.keys(), (key) => backend.set(key, lastValues.get(key)!, options));
  const failures = new Map<number, unknown>();
  entries.forEach(([key], index) => {
    const outcome = outcomes.get(key)!;
    if (outcome.status === 'rejected') failures.set(index, outcome.reason);
  });
  if (failures.size > 0) options.signal?.throwIfAborted();
  const kinds = new Set([...failures.values()].map(kindOf));
  if (failures.size === entries.length && kinds.size === 1) throw failures.get(0);
  return failures;
}

/**
 * Whether each delete removed a value; only the first of a key that comes twice can have.
 *
 * Rejects with the first failure when all failed, else with an {@link UnknownOutcomeError}: some keys were deleted.
 */
async function deleteManyBySingle(
  backend: Backend,
  keys: readonly string[],
  options: CallOptions,
  nodeName: string,
): Promise<boolean[]> {
  options.signal?.throwIfAborted();
  const outcomes = await settleEach(new Set(keys), (key) => backend.delete(key, options));
  const failures = [...outcomes.values()].filter((outcome) => outcome.status === 'rejected');
  if (failures.length > 0) {
    options.signal?.throwIfAborted();
    if (failures.length === outcomes.size) throw failures[0]!.reason;
    throw new UnknownOutcomeError(nodeName, 'deleteMany', { cause: failures[0]!.reason });
  }
  const answered = new Set<string>();
  return keys.map((key) => {
    if (answered.has(key)) return false;
    answered.add(key);
    const outcome = outcomes.get(key)!;
    return outcome.status === 'fulfilled' && outcome.value;
  });
}

async function settleEach<Result>(
  keys: Iterable<string>,
  call: (key: string) => Promise<Result>,
): Promise<Map<string, PromiseSettledResult<Result>>> {
  const list = [...keys];
  const settled = await Promise.allSettled(list.map(async (key) => call(key)));
  return new Map(list.map((key, index) => [key, settled[index]!]));
}

/** Errors of one kind say the same thing about the call: our own by code, others by class. */
const kindOf = (error: unknown): unknown => (isShardringError(error) ? error.code : detailOf(error, 'constructor'));
