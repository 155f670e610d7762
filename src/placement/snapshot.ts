/**
 * Snapshots: versioned JSON from which every later release makes the same mapping.
 *
 * A snapshot names its placement (`xxh32/1` is the ring's: its hash, its points and its slot rule). Whatever this
 * release does not understand it refuses, instead of guessing and moving keys.
 */

import { isShardringError, SnapshotError } from '../errors/index.ts';
import { xxh32 } from '../hash/xxh32.ts';
import { expectObject } from '../runtime/validate.ts';
import { type NodeInput, type PlacementNode, parseNode } from './node.ts';

export interface PlacementSnapshot {
  readonly format: 'shardring/ring' | 'shardring/placement';
  readonly version: 1;
  /** The kind of placement and the version of its mapping. */
  readonly placement: string;
  /** In the order of the placement's `nodes`. */
  readonly nodes: readonly NodeInput[];
  /** Covers everything that decides the mapping, to detect a change by hand or by accident. */
  readonly checksum: string;
}

/** The common fields of the snapshots of one kind of placement. */
export interface SnapshotKind {
  readonly format: PlacementSnapshot['format'];
  readonly placement: string;
  /** Names of the parameters that stand beside the nodes. */
  readonly parameters: readonly string[];
}

/**
 * 16 hex digits: two XXH32 of the canonical text of everything that decides the mapping.
 * @param parameters  Of the kind of placement, in an order that never changes. Plain JSON.
 */
export function checksumOf(placement: string, parameters: readonly unknown[], nodes: readonly PlacementNode[]): string {
  const rows = nodes.map(({ id, weight, zone }) => [id, weight, zone ?? null]);
  const text = JSON.stringify([placement, ...parameters, rows]);
  return [0, 1].map((seed) => xxh32(text, seed).toString(16).padStart(8, '0')).join('');
}

/** Nodes as a snapshot has them. */
export function snapshotNodes(nodes: readonly PlacementNode[]): NodeInput[] {
  return nodes.map(({ id, weight, zone }) => (zone === undefined ? { id, weight } : { id, weight, zone }));
}

/**
 * Makes a placement of a snapshot, and checks that it is the one the snapshot was taken of.
 *
 * @param input  The snapshot, or its JSON text.
 * @param make   Makes the placement; the parameters are those that `kind` names, of whatever type they came in. What it
 *               throws of this library's errors is reported as a fault of the snapshot.
 * @throws {SnapshotError} It is of another kind or version, has unknown or wrong fields, or was altered.
 */
export function restoreSnapshot<Made extends { readonly checksum: string }>(
  input: unknown,
  kind: SnapshotKind,
  make: (nodes: readonly PlacementNode[], parameters: Readonly<Record<string, unknown>>) => Made,
): Made {
  try {
    const fields = parseFields(typeof input === 'string' ? JSON.parse(input) : input, kind);
    const nodes = (fields.nodes as unknown[]).map((node, index) => parseNode(`snapshot.nodes[${index}]`, node));
    const made = make(nodes, Object.fromEntries(kind.parameters.map((name) => [name, fields[name]])));
    if (made.checksum !== fields.checksum) throw new SnapshotError('its checksum does not match its contents');
    return made;
  } catch (error) {
    if (error instanceof SnapshotError) throw error;
    if (isShardringError(error)) throw new SnapshotError(error.message.replace(/\.$/, ''), { cause: error });
    if (error instanceof SyntaxError) throw new SnapshotError('it is not JSON', { cause: error });
    throw error;
  }
}

/**
 * The kind of placement that a snapshot names, whatever else is wrong with it.
 * @throws {SnapshotError} It is not JSON.
 */
export function kindOfSnapshot(input: unknown): unknown {
  try {
    const snapshot: unknown = typeof input === 'string' ? JSON.parse(input) : input;
    return typeof snapshot === 'object' && snapshot !== null && 'placement' in snapshot
      ? snapshot.placement
      : undefined;
  } catch (error) {
    throw new SnapshotError('it is not JSON', { cause: error });
  }
}

function parseFields(input: unknown, { format, placement, parameters }: SnapshotKind): Record<string, unknown> {
  const snapshot = expectObject('snapshot', input);
  for (const [name, expected] of Object.entries({ format, version: 1, placement })) {
    if (snapshot[name] === expected) continue;
    const given = snapshot[name];
    const found = typeof given === 'string' || typeof given === 'number' ? JSON.stringify(given) : `a ${typeof given}`;
    throw new SnapshotError(`its ${name} is ${found}, not ${JSON.stringify(expected)}`);
  }
  const known = ['format', 'version', 'placement', ...parameters, 'nodes', 'checksum'];
  const stranger = Object.keys(snapshot).find((name) => !known.includes(name));
  if (stranger !== undefined) throw new SnapshotError(`it has an unknown field ${JSON.stringify(stranger)}`);
  const missing = known.find((name) => snapshot[name] === undefined);
  if (missing !== undefined) throw new SnapshotError(`its ${missing} is missing`);
  if (!Array.isArray(snapshot.nodes)) throw new SnapshotError('its nodes are not an array');
  return snapshot;
}
