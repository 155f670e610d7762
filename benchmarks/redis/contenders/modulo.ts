/** Picking the server by hand, `hash % n`, and what an MGET over several of them then takes. */

import { xxh32 } from '../../../src/hash/xxh32.ts';
import type { Store } from '../store.ts';

/** What is needed of one server's client. */
export interface Single {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
  mget(keys: string[]): Promise<(string | null)[]>;
}

export const moduloIndex = (key: string, count: number) => xxh32(key, 0) % count;

export function moduloStore(clients: readonly Single[], close: () => Promise<void>): Store {
  const pick = (key: string) => moduloIndex(key, clients.length);
  return {
    get: (key) => clients[pick(key)]!.get(key),
    set: (key, value) => clients[pick(key)]!.set(key, value),
    mget: (keys) => mergedByGroup(keys, clients.length, pick, (index, part) => clients[index]!.mget(part)),
    close,
  };
}

/** Asks each group for its part, and puts the answers into the order of the keys. */
export async function mergedByGroup(
  keys: readonly string[],
  groupCount: number,
  groupOf: (key: string) => number,
  ask: (group: number, keys: string[]) => Promise<readonly (string | null)[]>,
): Promise<(string | null)[]> {
  const parts = Array.from({ length: groupCount }, () => [] as string[]);
  const places = Array.from({ length: groupCount }, () => [] as number[]);
  for (let index = 0; index < keys.length; index++) {
    const group = groupOf(keys[index]!);
    parts[group]!.push(keys[index]!);
    places[group]!.push(index);
  }
  const merged = new Array<string | null>(keys.length).fill(null);
  await Promise.all(
    parts.map(async (part, group) => {
      if (part.length === 0) return;
      const values = await ask(group, part);
      for (let index = 0; index < part.length; index++) merged[places[group]![index]!] = values[index] ?? null;
    }),
  );
  return merged;
}
