/**
 * Maglev hashing: a slot table that nodes fill by turns, each by its own order of preference.
 *
 * Source: D. E. Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4,
 * https://www.usenix.org/conference/nsdi16/technical-sessions/presentation/eisenbud. How the table is filled:
 * `maglev-turns.ts`.
 *
 * Its gift is balance: every node owns its share of the slots to within about one slot. The price is that a change
 * moves some keys between nodes that have nothing to do with it, since a slot that one node gains or loses shifts the
 * turns of the others. Measured when one of N equal nodes leaves a table of 2^16 slots, 0.3 % of all keys move for
 * nothing at 10 nodes and 0.6 % at 100 and at 1,000, where only 0.1 % have to move. Where no key may move for nothing,
 * take the ring or the rendezvous table.
 *
 * The paper gives no replicas. Here they are the next distinct owners met on the way from the slot to higher slots, and
 * from the last on to the first; with zones, the first met of each zone goes before every second of a zone.
 *
 * Properties that tests hold: the order of joining does not matter; all shares are even; a shorter preference list is a
 * prefix of a longer one.
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { expectInteger, expectOptions } from '../../runtime/validate.ts';
import { addMember, parseNodes, removeMember, reweighMember } from '../members.ts';
import { type NodeId, type NodeInput, type PlacementNode, sortNodes } from '../node.ts';
import { checksumOf, type PlacementSnapshot, restoreSnapshot, type SnapshotKind, snapshotNodes } from '../snapshot.ts';
import {
  parseTableOptions,
  rowWidth,
  type TableOptions,
  TablePlacement,
  type TableSettings,
} from '../table/table-placement.ts';
import { zonesOf } from '../zones.ts';
import { maglevOwners } from './maglev-turns.ts';
import { SlotWalk } from './slot-walk.ts';

export const defaultMaglevSlots = 2 ** 16;

export interface MaglevOptions extends TableOptions {
  /** Pieces of the position space, a power of two in [2^8, 2^22] and not below the number of nodes; default 2^16. */
  readonly slots?: number | undefined;
}

export interface MaglevSnapshot extends PlacementSnapshot {
  readonly format: 'shardring/placement';
  readonly placement: 'maglev/1';
  readonly slots: number;
  readonly hashSeed: number;
}

const snapshotKind = {
  format: 'shardring/placement',
  placement: 'maglev/1',
  parameters: ['slots', 'hashSeed'],
} as const satisfies SnapshotKind;

export class Maglev extends TablePlacement {
  readonly #walk: SlotWalk;

  /**
   * @param nodes  At most as many as there are slots, in any order, with different ids. May be empty; every lookup
   *               then throws.
   * @throws {InvalidArgumentError} An option or node is out of range, unknown, or an id comes twice, or there are too
   *   many nodes.
   */
  static create(nodes: Iterable<NodeInput>, options: MaglevOptions = {}): Maglev {
    const given = expectOptions('options', options, ['slots', 'hashSeed', 'replicationFactor']);
    return Maglev.#build(sortNodes(parseNodes(nodes)), parseTableOptions(given, defaultMaglevSlots));
  }

  /**
   * The placement that a snapshot was taken of, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown fields, or was altered.
   */
  static fromSnapshot(snapshot: unknown, options: Pick<MaglevOptions, 'replicationFactor'> = {}): Maglev {
    expectOptions('options', options, ['replicationFactor']);
    return restoreSnapshot(snapshot, snapshotKind, (nodes, { slots, hashSeed }) =>
      Maglev.create(nodes, {
        slots: expectInteger('slots', slots, 0),
        hashSeed: expectInteger('hashSeed', hashSeed, 0),
        ...options,
      }),
    );
  }

  static #build(nodes: readonly PlacementNode[], settings: TableSettings): Maglev {
    if (nodes.length > settings.slots) {
      throw new InvalidArgumentError('nodes', `at most ${settings.slots} nodes, one for each slot`, nodes.length);
    }
    const walk = new SlotWalk(maglevOwners(nodes, settings.slots, settings.hashSeed), nodes.length, zonesOf(nodes));
    return new Maglev(nodes, settings, walk, walk.table(rowWidth(nodes, settings)));
  }

  private constructor(nodes: readonly PlacementNode[], settings: TableSettings, walk: SlotWalk, rows: Uint16Array) {
    super(nodes, settings, rows);
    this.#walk = walk;
  }

  withNode(node: NodeInput): Maglev {
    return Maglev.#build(sortNodes(addMember(this.nodes, node)), this);
  }

  withoutNode(id: NodeId): Maglev {
    return Maglev.#build(removeMember(this.nodes, id), this);
  }

  withWeight(id: NodeId, weight: number): Maglev {
    return Maglev.#build(reweighMember(this.nodes, id, weight), this);
  }

  toSnapshot(): MaglevSnapshot {
    const { format, placement } = snapshotKind;
    const { slots, hashSeed, checksum } = this;
    return { format, version: 1, placement, slots, hashSeed, nodes: snapshotNodes(this.nodes), checksum };
  }

  protected makeChecksum(): string {
    return checksumOf(snapshotKind.placement, [this.slots, this.hashSeed], this.nodes);
  }

  protected fillRows(count: number): Uint16Array {
    return this.#walk.table(count);
  }

  protected fillRow(slot: number, count: number): Uint16Array {
    const row = new Uint16Array(count);
    this.#walk.writeRow(slot, row, 0, count);
    return row;
  }
}
