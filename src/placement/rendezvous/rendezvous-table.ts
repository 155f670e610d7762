/**
 * The rendezvous table: weighted rendezvous hashing of slots, answered by the slot table.
 *
 * Sources and the formula of a score: `rendezvous-score.ts` and `slot-scores.ts`. How the table is made without all the
 * scores: `score-race.ts`.
 *
 * A key's slot is the top bits of its position, and the nodes of a slot are those of the lowest scores for it. Weights
 * are exact in expectation, without rounding to virtual nodes; a row of replicas is as good as the owner; and what a
 * change of one node changes is that node's own place in some rows. The spread of N equal shares of S slots, measured,
 * is about sqrt(N / 2S): 0.8 % at 10 nodes and 2^16 slots, 2.8 % at 100, 8.7 % at 1,000, where 2^18 slots halve it.
 *
 * Properties that tests hold: the order of joining does not matter; removing a node moves only its keys; adding a node
 * or raising a weight moves keys only to that node; a shorter preference list is a prefix of a longer one; the table is
 * that of all scores worked out.
 */

import { expectInteger, expectOptions } from '../../runtime/validate.ts';
import { addMember, memberIndex, parseNodes, removeMember, reweighMember } from '../members.ts';
import { type NodeId, type NodeInput, type PlacementNode, sortNodes } from '../node.ts';
import { checksumOf, type PlacementSnapshot, restoreSnapshot, type SnapshotKind, snapshotNodes } from '../snapshot.ts';
import {
  parseTableOptions,
  rowWidth,
  type TableOptions,
  TablePlacement,
  type TableSettings,
} from '../table/table-placement.ts';
import { type Zones, zonesOf } from '../zones.ts';
import { changeRows, haveOneForm, type NodeChange } from './score-change.ts';
import { raceRows } from './score-race.ts';
import { rowOf } from './score-rows.ts';
import { SlotScores } from './slot-scores.ts';

export const defaultRendezvousSlots = 2 ** 16;

export interface RendezvousTableOptions extends TableOptions {
  /** Pieces of the position space, a power of two in [2^8, 2^22]; default 2^16. Four times as many halve the spread. */
  readonly slots?: number | undefined;
}

export interface RendezvousTableSnapshot extends PlacementSnapshot {
  readonly format: 'shardring/placement';
  readonly placement: 'rendezvous-table/1';
  readonly slots: number;
  readonly hashSeed: number;
}

const snapshotKind = {
  format: 'shardring/placement',
  placement: 'rendezvous-table/1',
  parameters: ['slots', 'hashSeed'],
} as const satisfies SnapshotKind;

interface RowSource {
  readonly scores: SlotScores;
  readonly zones: Zones | undefined;
}

export class RendezvousTable extends TablePlacement {
  readonly #source: RowSource;

  /**
   * @param nodes  In any order, with different ids. May be empty; every lookup then throws.
   * @throws {InvalidArgumentError} An option or node is out of range, unknown, or an id comes twice.
   */
  static create(nodes: Iterable<NodeInput>, options: RendezvousTableOptions = {}): RendezvousTable {
    const given = expectOptions('options', options, ['slots', 'hashSeed', 'replicationFactor']);
    return RendezvousTable.#build(sortNodes(parseNodes(nodes)), parseTableOptions(given, defaultRendezvousSlots));
  }

  /**
   * The placement that a snapshot was taken of, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown fields, or was altered.
   */
  static fromSnapshot(
    snapshot: unknown,
    options: Pick<RendezvousTableOptions, 'replicationFactor'> = {},
  ): RendezvousTable {
    expectOptions('options', options, ['replicationFactor']);
    return restoreSnapshot(snapshot, snapshotKind, (nodes, { slots, hashSeed }) =>
      RendezvousTable.create(nodes, {
        slots: expectInteger('slots', slots, 0),
        hashSeed: expectInteger('hashSeed', hashSeed, 0),
        ...options,
      }),
    );
  }

  static #build(nodes: readonly PlacementNode[], settings: TableSettings): RendezvousTable {
    const source = sourceOf(nodes, settings);
    const rows = raceRows(source.scores, { width: rowWidth(nodes, settings), zones: source.zones });
    return new RendezvousTable(nodes, settings, source, rows);
  }

  private constructor(nodes: readonly PlacementNode[], settings: TableSettings, source: RowSource, rows: Uint16Array) {
    super(nodes, settings, rows);
    this.#source = source;
  }

  withNode(input: NodeInput): RendezvousTable {
    const nodes = sortNodes(addMember(this.nodes, input));
    return this.#become(nodes, { kind: 'joins', node: nodes.findIndex(({ id }) => id === input.id) });
  }

  withoutNode(id: NodeId): RendezvousTable {
    return this.#become(removeMember(this.nodes, id), { kind: 'leaves', node: memberIndex(this.nodes, id) });
  }

  withWeight(id: NodeId, weight: number): RendezvousTable {
    const nodes = reweighMember(this.nodes, id, weight);
    const node = memberIndex(this.nodes, id);
    return this.#become(nodes, { kind: weight > this.nodes[node]!.weight ? 'grows' : 'shrinks', node });
  }

  toSnapshot(): RendezvousTableSnapshot {
    const { format, placement } = snapshotKind;
    const { slots, hashSeed, checksum } = this;
    return { format, version: 1, placement, slots, hashSeed, nodes: snapshotNodes(this.nodes), checksum };
  }

  protected makeChecksum(): string {
    return checksumOf(snapshotKind.placement, [this.slots, this.hashSeed], this.nodes);
  }

  protected fillRows(count: number): Uint16Array {
    const { scores, zones } = this.#source;
    return raceRows(scores, { width: count, zones });
  }

  protected fillRow(slot: number, count: number): ArrayLike<number> {
    const { scores, zones } = this.#source;
    const nodeScores = new Float64Array(this.nodes.length);
    scores.scoreSlot(slot, nodeScores);
    return rowOf(nodeScores, { width: count, zones });
  }

  /** The table of other nodes, made from this one where the form of its rows stays. */
  #become(nodes: readonly PlacementNode[], change: NodeChange): RendezvousTable {
    const source = sourceOf(nodes, this);
    const rules = { width: rowWidth(nodes, this), zones: source.zones };
    const rulesBefore = { width: rowWidth(this.nodes, this), zones: this.#source.zones };
    const rows = haveOneForm(rules, rulesBefore)
      ? changeRows(this.rows, source.scores, rules, change)
      : raceRows(source.scores, rules);
    return new RendezvousTable(nodes, this, source, rows);
  }
}

function sourceOf(nodes: readonly PlacementNode[], { slots, hashSeed }: TableSettings): RowSource {
  return { scores: new SlotScores(nodes, slots, hashSeed), zones: zonesOf(nodes) };
}
