/**
 * The known facts about each command of Redis and Valkey: whether it exists, its flags, where its keys are.
 *
 * The facts are those of `@ioredis/commands`, which has the commands of Redis. Those of Valkey that it lacks are here. A test
 * compares the whole with what servers say of themselves (COMMAND).
 */

import * as ofIoredis from '@ioredis/commands';

interface Facts {
  readonly flags: readonly string[];
  /** Its first argument is its only key; else it has none. */
  readonly hasOneKey: boolean;
}

const ofValkey: ReadonlyMap<string, Facts> = new Map([
  ['delifeq', { flags: ['write', 'fast'], hasOneKey: true }],
  ['commandlog', { flags: [], hasOneKey: false }],
  // Servers name the cursor as a key, as it leads to one node of a cluster.
  ['clusterscan', { flags: ['readonly'], hasOneKey: false }],
]);

/** Every command, in lower case. */
export const commandNames: readonly string[] = [
  ...ofIoredis.list,
  ...[...ofValkey.keys()].filter((name) => !ofIoredis.exists(name)),
];

/** @param name  In lower case, as for all here. */
export const exists = (name: string): boolean => ofIoredis.exists(name) || ofValkey.has(name);

/** For a command that {@link exists}. */
export function hasFlag(name: string, flag: string): boolean {
  if (ofIoredis.exists(name)) return ofIoredis.hasFlag(name, flag);
  return ofValkey.get(name)!.flags.includes(flag);
}

/** For a command that {@link exists}. */
export function getKeyIndexes(name: string, args: Parameters<typeof ofIoredis.getKeyIndexes>[1]): readonly number[] {
  if (ofIoredis.exists(name)) return ofIoredis.getKeyIndexes(name, args);
  return ofValkey.get(name)!.hasOneKey && args.length > 0 ? [0] : [];
}
