/** The keys and the form of the vectors that golden/own/make_mapping.py and its kin make. */

import type { Placement } from '../../src/placement/placement.ts';

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
/** n * factor modulo 2^32, exact. */
const scatter = (n: number, factor: number) => Math.imul(n, factor) >>> 0;

/** The rule of key(i) in make_mapping.py. */
function goldenKeyAt(index: number): string {
  const n = Math.floor(index / 10);
  const middle = `${hex(n * 7, 4)}-4${hex((n * 13) % 4096, 3)}-a${hex((n * 17) % 4096, 3)}`;
  const kinds = [
    `user:${n}`,
    `session:${hex(scatter(n, 2654435761), 8)}`,
    `{tenant-${n % 97}}:order:${n}`,
    `${hex(n, 8)}-${middle}-${hex(scatter(n, 40503), 12)}`,
    `ключ:${n}`,
    `été-${n}-{}`,
    '\u{1F600}'.repeat((n % 5) + 1) + String(n),
    `/static/${n}/${'path/'.repeat(n % 60)}`,
    `${n}{`,
    `a${n}\u0000\u007f|~}`,
  ];
  return kinds[index % 10]!;
}

export const goldenKeys: readonly string[] = Array.from({ length: 10_000 }, (_, index) => goldenKeyAt(index));

export interface GoldenVector {
  readonly nodes: readonly { id: string; weight?: number; zone?: string }[];
  readonly hashSeed: number;
  /** For each place of the list, two characters a key: the node's index in `nodes` to the base 36. */
  readonly places: readonly string[];
}

/** Where a placement has the keys, in the form of the vector's places. */
export function placesOf(placement: Placement, { nodes, places }: GoldenVector): string[] {
  const codes = new Map(nodes.map(({ id }, index) => [id, index.toString(36).padStart(2, '0')]));
  const lists = goldenKeys.map((key) => placement.preferenceList(key, places.length));
  return places.map((_, place) => lists.map((list) => codes.get(list[place]!)).join(''));
}
