/** The many-key calls of the cache: values on one side, bytes and nodes on the other, partial results kept. */

import type { EntryFailures, Value } from '../backend/backend.ts';
import { InvalidArgumentError, type NodeAttempt, PartialFailureError } from '../errors/index.ts';
import { DeleteMany, SetMany } from '../nodes/operations.ts';
import type { Fleet } from '../routing/fleet.ts';
import { readMany } from '../routing/read-many.ts';
import { writeMany } from '../routing/write-many.ts';
import { expectIterable, expectString } from '../runtime/validate.ts';
import { primaryOf, routeOf } from '../topology/route.ts';
import { type Codec, decode, encode } from './codecs.ts';

const noFailures: EntryFailures = new Map();

/** The hits among `keys`, in their order. @throws {PartialFailureError} */
export async function getMany(
  fleet: Fleet,
  codec: Codec,
  keys: Iterable<string>,
  signal: AbortSignal | undefined,
): Promise<Map<string, unknown>> {
  const unique = uniqueKeys(keys);
  const { topology } = fleet;
  const { values, failed, attempts } = await readMany(fleet, unique, { signal });
  const hits = new Map<string, unknown>();
  const unreadable: NodeAttempt[] = [];
  const unreadableKeys: number[] = [];
  for (let index = 0; index < unique.length; index++) {
    const bytes = values[index];
    if (bytes === undefined) continue;
    try {
      hits.set(unique[index]!, decode(codec, bytes));
    } catch (error) {
      unreadableKeys.push(index);
      unreadable.push({ node: primaryOf(routeOf(topology, unique[index]!)), elapsedMs: 0, error });
    }
  }
  const bad = [...failed, ...unreadableKeys].sort((a, b) => a - b);
  if (bad.length > 0) throw partialFailure('getMany', hits, unique, bad, [...attempts, ...unreadable]);
  return hits;
}

/** @param expiryAt  When the values expire at a member, which may be a fallback node. @throws {PartialFailureError} */
export async function setMany(
  fleet: Fleet,
  codec: Codec,
  entries: Iterable<readonly [key: string, value: unknown]>,
  expiryAt: (isFallback: boolean) => number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const encoded: [key: string, bytes: Value][] = [];
  for (const entry of expectIterable('entries', entries)) {
    const field = `entries[${encoded.length}]`;
    if (!Array.isArray(entry)) throw new InvalidArgumentError(field, 'a pair [key, value]', entry);
    encoded.push([expectString(`${field}[0]`, entry[0]), encode(codec, entry[1], `${field}[1]`)]);
  }
  const keys = encoded.map(([key]) => key);
  const call = {
    name: 'setMany',
    keys,
    waitForAll: false,
    operationFor: (indexes: readonly number[], isFallback: boolean) => {
      const batch = indexes.map((index) => encoded[index]!);
      return new SetMany(batch, expiryAt(isFallback));
    },
    failuresIn: (failures: EntryFailures) => failures,
  };
  const { failed, attempts } = await writeMany(fleet, call, { signal });
  if (failed.length === 0) return;
  const bad = new Set(failed.map((index) => keys[index]!));
  const stored = [...new Set(keys)].filter((key) => !bad.has(key));
  throw partialFailure('setMany', stored, keys, failed, attempts);
}

/** How many of `keys` there were. @throws {PartialFailureError} */
export async function deleteMany(
  fleet: Fleet,
  keys: Iterable<string>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const unique = uniqueKeys(keys);
  const removed = new Uint8Array(unique.length);
  const call = {
    name: 'deleteMany',
    keys: unique,
    waitForAll: true,
    deletedAtPreviousOwner: (index: number) => {
      removed[index] = 1;
    },
    operationFor: (indexes: readonly number[]) => new DeleteMany(indexes.map((index) => unique[index]!)),
    failuresIn: (wereThere: readonly boolean[], indexes: readonly number[]) => {
      for (const [position, wasThere] of wereThere.entries()) if (wasThere) removed[indexes[position]!] = 1;
      return noFailures;
    },
  };
  const { failed, attempts } = await writeMany(fleet, call, { signal });
  for (const index of failed) removed[index] = 0;
  const count = removed.reduce((sum, flag) => sum + flag, 0);
  if (failed.length > 0) throw partialFailure('deleteMany', count, unique, failed, attempts);
  return count;
}

function uniqueKeys(keys: Iterable<string>): string[] {
  const unique = new Set<string>();
  let index = 0;
  for (const key of expectIterable('keys', keys)) unique.add(expectString(`keys[${index++}]`, key));
  return [...unique];
}

function partialFailure<Results>(
  operation: string,
  results: Results,
  keys: readonly string[],
  failed: readonly number[],
  attempts: PartialFailureError['attempts'],
): PartialFailureError<Results> {
  return new PartialFailureError(operation, results, [...new Set(failed.map((index) => keys[index]!))], attempts);
}
