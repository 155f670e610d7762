/**
 * Immutable consistent-hash ring with weighted virtual nodes, answered by a table of slots.
 *
 * Sources: D. Karger et al., "Consistent Hashing and Random Trees", STOC 1997, doi:10.1145/258533.258660 (the ring).
 * G. DeCandia et al., "Dynamo", SOSP 2007, doi:10.1145/1294261.1294281 (virtual nodes, section 4.2; preference list,
 * section 4.3).
 *
 * A key's position is XXH32 of its routing key with `hashSeed`, an integer in [0, 2^32). A virtual node owns the arc
 * that ends at its own position: (previous position, own position]. The sorted virtual nodes are the truth; from them a
 * table holds the nodes of each slot, so that a lookup is one hash and one read whatever the number of nodes.
 *
 * Properties that tests hold: the order of joining does not matter; removing a node moves only its keys; adding a node
 * or raising a weight moves keys only to that node; a shorter preference list is a prefix of a longer one; a ring that
 * was changed is the same as one made anew.
 */

import { expectInteger, expectOptions } from '../../runtime/validate.ts';
import { addMember, parseNodes, removeMember, reweighMember } from '../members.ts';
import { type NodeId, type NodeInput, type PlacementNode, sortNodes } from '../node.ts';
import type { SlotRuns } from '../placement.ts';
import { checksumOf, type PlacementSnapshot, restoreSnapshot, type SnapshotKind, snapshotNodes } from '../snapshot.ts';
import { defaultSlots, slotShift } from '../table/slot-table.ts';
import {
  parseTableOptions,
  rowWidth,
  type TableOptions,
  TablePlacement,
  type TableSettings,
} from '../table/table-placement.ts';
import { zonesOf } from '../zones.ts';
import { type RingChange, singleChange } from './change.ts';
import { type RingBalance, ringBalance } from './ring-balance.ts';
import { fillTable, type RowSource, touchedArcs, writeRow } from './slot-rows.ts';
import { insertPoints, pointIndexes, removePoints, shiftIndexes } from './splice.ts';
import { maxVirtualNodes, pointCount, pointCounts, positionsOf, virtualNodesOf } from './virtual-nodes.ts';
import { pointAtOrAfter, walk } from './walk.ts';

/**
 * 512 points per unit of weight: the spread of the shares is 1/sqrt(512) = 4.4 %, the fullest of 10 nodes 7 % above the
 * mean and of 100 nodes 11 %. With 160, the usual choice, it is 8 %, 13 % and 22 %; with 1,024 it would be 3.1 %, 5 % and
 * 8 %, at twice the points to sort. Lookups cost the same for all of them, since a table answers.
 */
export const defaultVirtualNodes = 512;

export interface HashRingOptions extends TableOptions {
  /** Points per unit of weight. Integer in [1, 65536]; default 512. More spread the keys more evenly and cost memory. */
  readonly virtualNodes?: number | undefined;
  /** Pieces of the position space, a power of two in [2^8, 2^22]; default 2^18. See `slot-table.ts`. */
  readonly slots?: number | undefined;
}

export interface RingSnapshot extends PlacementSnapshot {
  readonly format: 'shardring/ring';
  readonly placement: 'xxh32/1';
  readonly slots: number;
  readonly virtualNodes: number;
  readonly hashSeed: number;
}

const optionNames = ['virtualNodes', 'slots', 'hashSeed', 'replicationFactor'];

const snapshotKind = {
  format: 'shardring/ring',
  placement: 'xxh32/1',
  parameters: ['slots', 'virtualNodes', 'hashSeed'],
} as const satisfies SnapshotKind;

interface RingSettings extends TableSettings {
  readonly virtualNodes: number;
}

export class HashRing extends TablePlacement {
  readonly virtualNodes: number;
  readonly #source: RowSource;

  /**
   * @param nodes  At most 65,535, in any order, with different ids. May be empty; every lookup then throws.
   * @throws {InvalidArgumentError} An option or node is out of range, unknown, or an id comes twice.
   */
  static create(nodes: Iterable<NodeInput>, options: HashRingOptions = {}): HashRing {
    const given = expectOptions('options', options, optionNames);
    return HashRing.#build(sortNodes(parseNodes(nodes)), {
      virtualNodes: expectInteger('virtualNodes', given.virtualNodes ?? defaultVirtualNodes, 1, maxVirtualNodes),
      ...parseTableOptions(given, defaultSlots),
    });
  }

  /**
   * The ring that a snapshot was taken of, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown fields, or was altered.
   */
  static fromSnapshot(snapshot: unknown, options: Pick<HashRingOptions, 'replicationFactor'> = {}): HashRing {
    expectOptions('options', options, ['replicationFactor']);
    return restoreSnapshot(snapshot, snapshotKind, (nodes, { slots, virtualNodes, hashSeed }) =>
      HashRing.create(nodes, {
        slots: expectInteger('slots', slots, 0),
        virtualNodes: expectInteger('virtualNodes', virtualNodes, 0),
        hashSeed: expectInteger('hashSeed', hashSeed, 0),
        ...options,
      }),
    );
  }

  static #build(nodes: readonly PlacementNode[], settings: RingSettings): HashRing {
    const points = virtualNodesOf(nodes, pointCounts(nodes, settings.virtualNodes), settings.hashSeed);
    const source = { points, zones: zonesOf(nodes), slots: settings.slots };
    return new HashRing(nodes, settings, source, fillTable(source, rowWidth(nodes, settings)));
  }

  private constructor(nodes: readonly PlacementNode[], settings: RingSettings, source: RowSource, rows: Uint16Array) {
    super(nodes, settings, rows);
    this.virtualNodes = settings.virtualNodes;
    this.#source = source;
  }

  withNode(node: NodeInput): HashRing {
    return this.#become(sortNodes(addMember(this.nodes, node)));
  }

  withoutNode(id: NodeId): HashRing {
    return this.#become(removeMember(this.nodes, id));
  }

  withWeight(id: NodeId, weight: number): HashRing {
    return this.#become(reweighMember(this.nodes, id, weight));
  }

  /** Each node's share against its ideal one, how far they spread, and what other settings would bring. */
  balance(): RingBalance {
    return ringBalance(this);
  }

  toSnapshot(): RingSnapshot {
    const { slots, virtualNodes, hashSeed, checksum } = this;
    const { format, placement } = snapshotKind;
    const nodes = snapshotNodes(this.nodes);
    return { format, version: 1, placement, slots, virtualNodes, hashSeed, nodes, checksum };
  }

  protected makeChecksum(): string {
    return checksumOf(snapshotKind.placement, [this.slots, this.virtualNodes, this.hashSeed], this.nodes);
  }

  protected fillRows(count: number): Uint16Array {
    return fillTable(this.#source, count);
  }

  protected fillRow(slot: number, count: number): Uint16Array {
    const row = new Uint16Array(count);
    const { points, zones } = this.#source;
    const position = (slot << slotShift(this.slots)) >>> 0;
    walk(points, pointAtOrAfter(points, position), zones, count, row, 0);
    return row;
  }

  /** From the points of the changed node alone, where one node differs. */
  protected override changedSlots(before: TablePlacement, count: number): SlotRuns | undefined {
    if (!(before instanceof HashRing) || before.virtualNodes !== this.virtualNodes) return undefined;
    const change = singleChange(before.nodes, this.nodes);
    if (change === undefined) return undefined;
    const fuller = isGrowth(change) ? this : before;
    const given = pointIndexes(fuller.#source.points, change.owner, this.#positionsOf(change));
    return touchedArcs(fuller.#source, change.owner, given, count)
      .map(({ firstSlot, endSlot }) => [firstSlot, endSlot] as const)
      .sort(([a], [b]) => a - b);
  }

  /** The ring of other nodes, made from this one where only one node differs. */
  #become(nodes: readonly PlacementNode[]): HashRing {
    pointCounts(nodes, this.virtualNodes);
    const change = singleChange(this.nodes, nodes);
    const width = rowWidth(nodes, this);
    if (change === undefined || width === 0 || width !== rowWidth(this.nodes, this))
      return HashRing.#build(nodes, this);

    const { kind, owner } = change;
    const grows = isGrowth(change);
    const positions = this.#positionsOf(change);
    const { points, changed } = grows
      ? insertPoints(this.#source.points, this.nodes.length, owner, positions, kind === 'joins')
      : removePoints(this.#source.points, this.nodes.length, owner, positions, kind === 'leaves');
    const source = { points, zones: zonesOf(nodes), slots: this.slots };

    // In all other rows the node does not stand, before or after, or stands there by points that stay.
    const rows = this.rows.slice();
    if (kind === 'joins') shiftIndexes(rows, this.nodes.length, owner, 1);
    if (kind === 'leaves') shiftIndexes(rows, this.nodes.length, owner + 1, -1);
    const row = new Uint16Array(width);
    for (const arc of touchedArcs(grows ? source : this.#source, owner, changed, width)) {
      // Among the points that are left, a point that was taken out is replaced by the one after it.
      const point = grows ? arc.point : (arc.point - arc.givenBefore) % points.positions.length;
      walk(points, point, source.zones, width, row, 0);
      writeRow(rows, row, arc.firstSlot, arc.endSlot);
    }
    return new HashRing(nodes, this, source, rows);
  }

  /** The positions of the points that the node has in the one list and not in the other, ascending. */
  #positionsOf({ more, less }: RingChange): Uint32Array {
    const first = less === undefined ? 0 : pointCount(less, this.virtualNodes);
    return positionsOf(more.id, this.hashSeed, first, pointCount(more, this.virtualNodes));
  }
}

const isGrowth = ({ kind }: RingChange) => kind === 'joins' || kind === 'grows';
