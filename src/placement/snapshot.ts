/**
 * Snapshots of a ring: versioned JSON from which every later release makes the same mapping.
 *
 * A snapshot names its placement (`xxh32/1`: the hash, the points and the slot rule of the ring). Whatever this release
 * does not understand it refuses, instead of guessing and moving keys.
 */

import { isShardringError, SnapshotError } from '../errors.ts';
import { xxh32 } from '../hash/xxh32.ts';
import { expectInteger, expectOptions } from '../runtime/validate.ts';
import { type NodeInput, type PlacementNode, parseNode } from './node.ts';
import { expectSlots } from './slot-table.ts';

export interface RingSnapshot {
  readonly format: 'shardring/ring';
  readonly version: 1;
  readonly placement: 'xxh32/1';
  readonly slots: number;
  readonly virtualNodes: number;
  readonly hashSeed: number;
  /** Ascending by id. */
  readonly nodes: readonly NodeInput[];
  /** Of all the above, to notice a change by hand or by accident. */
  readonly checksum: string;
}

const fields = ['format', 'version', 'placement', 'slots', 'virtualNodes', 'hashSeed', 'nodes', 'checksum'];

/** What decides the mapping. */
export interface RingParts {
  readonly nodes: readonly PlacementNode[];
  readonly slots: number;
  readonly virtualNodes: number;
  readonly hashSeed: number;
}

/** 16 hex digits: two XXH32 of the canonical text of everything that decides the mapping. */
export function checksumOf({ nodes, slots, virtualNodes, hashSeed }: RingParts): string {
  const rows = nodes.map(({ id, weight, zone }) => [id, weight, zone ?? null]);
  const text = JSON.stringify(['xxh32/1', slots, virtualNodes, hashSeed, rows]);
  return [0, 1].map((seed) => xxh32(text, seed).toString(16).padStart(8, '0')).join('');
}

/** @throws {SnapshotError} See `HashRing.fromSnapshot`. */
export function parseSnapshot(input: unknown): RingParts {
  try {
    return parseFields(typeof input === 'string' ? JSON.parse(input) : input);
  } catch (error) {
    if (error instanceof SnapshotError) throw error;
    const problem = isShardringError(error) ? error.message.replace(/\.$/, '') : 'it is not JSON';
    throw new SnapshotError(problem, { cause: error });
  }
}

function parseFields(input: unknown): RingParts {
  const snapshot = expectOptions('snapshot', input, fields);
  for (const [name, known] of [
    ['format', 'shardring/ring'],
    ['version', 1],
    ['placement', 'xxh32/1'],
  ] as const) {
    if (snapshot[name] !== known) {
      throw new SnapshotError(
        `its ${name} is ${JSON.stringify(snapshot[name])}, and this release understands only ${JSON.stringify(known)}`,
      );
    }
  }
  if (!Array.isArray(snapshot.nodes)) throw new SnapshotError('its nodes are not an array');
  const parts: RingParts = {
    nodes: snapshot.nodes.map((node, index) => parseNode(`snapshot.nodes[${index}]`, node)),
    slots: expectSlots('snapshot.slots', snapshot.slots),
    virtualNodes: expectInteger('snapshot.virtualNodes', snapshot.virtualNodes, 1, 65_536),
    hashSeed: expectInteger('snapshot.hashSeed', snapshot.hashSeed, 0, 2 ** 32 - 1),
  };
  if (snapshot.checksum !== checksumOf(parts)) throw new SnapshotError('its checksum does not fit its contents');
  return parts;
}
