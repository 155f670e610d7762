/**
 * The common part of all placements with a table: from a key to its slot, from the slot to its nodes.
 *
 * Symbols and shapes:
 *
 *   S       slots                                                                        count, a power of two
 *   R       width of a row: the replication factor, or all nodes where there are fewer   count
 *   rows    Uint16Array of length S * R; row s, the nodes of slot s in preference
 *           order, is rows[s * R .. s * R + R - 1]                                       node index
 *   owners  of length S, a Uint8Array up to 256 nodes; owners[s] = rows[s * R]           node index
 *
 * A lookup is one hash and one read of `owners`, which is kept apart from `rows` so that as much of it as possible stays
 * in the processor's caches: they are what a lookup waits for, and not the arithmetic. A kind of placement says only how
 * rows are filled and how its members change.
 */

import { NoNodesError } from '../../errors/index.ts';
import { expectInteger } from '../../runtime/validate.ts';
import { maxNodes } from '../members.ts';
import { indexesBefore, type NodeId, type NodeInput, type PlacementNode } from '../node.ts';
import type { Arcs, SlotChanges, SlotRuns, SlottedPlacement } from '../placement.ts';
import { positionBits } from '../position.ts';
import { routingKeyOf } from '../routing-key.ts';
import type { PlacementSnapshot } from '../snapshot.ts';
import { expectRowWidth, expectSlots, slotShift } from './slot-table.ts';

export interface TableOptions {
  /** Pieces of the position space, a power of two in [2^8, 2^22]. See `slot-table.ts`. */
  readonly slots?: number | undefined;
  /** Seed of the hash, an integer in [0, 2^32); default 0. Keep it secret where strangers choose keys. */
  readonly hashSeed?: number | undefined;
  /** Preference lists up to this length are read from the table; longer ones are worked out each time. Default 1. */
  readonly replicationFactor?: number | undefined;
}

export interface TableSettings {
  readonly slots: number;
  readonly hashSeed: number;
  readonly replicationFactor: number;
}

/** @throws {InvalidArgumentError} An option is out of range. */
export function parseTableOptions(given: Readonly<Record<string, unknown>>, defaultSlots: number): TableSettings {
  return {
    slots: expectSlots('slots', given.slots ?? defaultSlots),
    hashSeed: expectInteger('hashSeed', given.hashSeed ?? 0, 0, 2 ** 32 - 1),
    replicationFactor: expectInteger('replicationFactor', given.replicationFactor ?? 1, 1, maxNodes),
  };
}

/** Nodes in a row of the table. @throws {InvalidArgumentError} The table would be too large. */
export function rowWidth(nodes: readonly PlacementNode[], { replicationFactor, slots }: TableSettings): number {
  return expectRowWidth(slots, Math.min(replicationFactor, nodes.length));
}

export abstract class TablePlacement implements SlottedPlacement {
  readonly nodes: readonly PlacementNode[];
  readonly slots: number;
  readonly hashSeed: number;
  /** Preference lists up to this length come from the table. Part of the placement's speed and not of its mapping. */
  readonly replicationFactor: number;

  readonly #ids: readonly NodeId[];
  /** `hashSeed` as a signed integer, which the engine needs no box for. */
  readonly #seed: number;
  readonly #shift: number;
  readonly #width: number;
  readonly #rows: Uint16Array;
  readonly #owners: Uint8Array | Uint16Array;
  readonly #copies = new Map<number, Uint32Array>();
  /** For each slot the list of its row, once it has been asked for; one list for all slots of equal rows. */
  #lists: (readonly NodeId[] | undefined)[] = [];
  /** Nodes in each of them; 0 while there are none. */
  #listLength = 0;
  readonly #listOfRow = new Map<string, readonly NodeId[]>();
  /** For each node the list of it alone, once one has been asked for. */
  #singles: readonly (readonly NodeId[])[] | undefined;
  #checksum: string | undefined;

  /** @param rows  The table, of {@link rowWidth} nodes a row. Belongs to the placement from now on. */
  protected constructor(nodes: readonly PlacementNode[], settings: TableSettings, rows: Uint16Array) {
    this.nodes = Object.freeze(nodes);
    this.slots = settings.slots;
    this.hashSeed = settings.hashSeed;
    this.replicationFactor = settings.replicationFactor;
    this.#ids = nodes.map(({ id }) => id);
    this.#seed = settings.hashSeed | 0;
    this.#shift = slotShift(settings.slots);
    this.#width = rowWidth(nodes, settings);
    this.#rows = rows;
    this.#owners = ownersOf(rows, this.#width, nodes.length);
  }

  abstract withNode(node: NodeInput): TablePlacement;
  abstract withoutNode(id: NodeId): TablePlacement;
  abstract withWeight(id: NodeId, weight: number): TablePlacement;
  abstract toSnapshot(): PlacementSnapshot;

  /** The checksum, worked out when it is first asked for. */
  protected abstract makeChecksum(): string;

  /** A table of `count` nodes a row, `count` in [1, number of nodes]. */
  protected abstract fillRows(count: number): Uint16Array;

  /** One row of `count` nodes, where `count` is more than the table has. */
  protected abstract fillRow(slot: number, count: number): ArrayLike<number>;

  /** Slots whose rows of `count` may differ, as runs, where the kind of placement can tell without a look at all of them. */
  protected changedSlots(_before: TablePlacement, _count: number): SlotRuns | undefined {
    return undefined;
  }

  get slotting(): string {
    return `xxh32/1 slots=${this.slots} hashSeed=${this.hashSeed}`;
  }

  get checksum(): string {
    this.#checksum ??= this.makeChecksum();
    return this.#checksum;
  }

  /** @see Placement.nodeFor */
  nodeFor(key: string): NodeId {
    const owner = this.#owners[this.slotOf(key)];
    if (owner === undefined) throw new NoNodesError();
    return this.#ids[owner]!;
  }

  /**
   * Up to `replicationFactor` nodes are a row of the table, one shared frozen array for all keys that have them; a list
   * of more nodes is made anew each time.
   * @see Placement.preferenceList
   */
  preferenceList(key: string, count: number): readonly NodeId[] {
    const slot = this.slotOf(key);
    if (count === this.#listLength) {
      const list = this.#lists[slot];
      if (list !== undefined) return list;
    }
    return this.slotNodes(slot, count);
  }

  /**
   * The nodes of a slot in preference order, as {@link preferenceList} has them for its keys.
   * @throws {InvalidArgumentError} `slot` or `count` is out of range.
   */
  slotNodes(slot: number, count: number): readonly NodeId[] {
    expectInteger('slot', slot, 0, this.slots - 1);
    this.#expectCount(count);
    if (count === 1) {
      this.#singles ??= this.#ids.map((id) => Object.freeze([id]));
      return this.#singles[this.#owners[slot]!]!;
    }
    if (count === this.#width) return this.#listOf(slot);
    const row = count < this.#width ? this.#rowOf(slot).subarray(0, count) : this.fillRow(slot, count);
    return Object.freeze(Array.from(row, (index) => this.#ids[index]!));
  }

  /** @see routingKeyOf */
  routingKeyOf(key: string): string {
    return routingKeyOf(key);
  }

  /** The position of `key`: XXH32 of its routing key with `hashSeed`. Integer in [0, 2^32). */
  positionOf(key: string): number {
    return positionBits(key, this.#seed) >>> 0;
  }

  /** The slot of `key`: the top bits of its position. Integer in [0, slots). */
  slotOf(key: string): number {
    return positionBits(key, this.#seed) >>> this.#shift;
  }

  /**
   * Indexes into `nodes`, `count` for each slot, in preference order: row `s` starts at `s * count`. Do not change it.
   * @throws As {@link preferenceList}.
   */
  slotTable(count: number): Uint16Array {
    this.#expectCount(count);
    return count === this.#width ? this.#rows : this.fillRows(expectRowWidth(this.slots, count));
  }

  arcs(count: number): Arcs<number> {
    return arcsOfTable(this.slotTable(count), count);
  }

  /** By what {@link changedSlots} knows, else by one pass over both tables. @see SlottedPlacement.changesFrom */
  changesFrom(before: SlottedPlacement, count: number): SlotChanges | undefined {
    if (!(before instanceof TablePlacement) || before.slotting !== this.slotting) return undefined;
    const tables = { before: before.slotTable(count), after: this.slotTable(count) };
    const slots = this.changedSlots(before, count) ?? differingSlots(before, this, count);
    return { slots, ...tables, copiesBefore: before.copies(count) };
  }

  /** Slots in whose first `count` places each node stands, by node index. Do not change it. */
  copies(count: number): Uint32Array {
    const known = this.#copies.get(count);
    if (known !== undefined) return known;
    const copies = new Uint32Array(this.nodes.length);
    const table = count === 1 ? this.#owners : this.slotTable(count);
    for (let index = 0; index < table.length; index++) copies[table[index]!]!++;
    this.#copies.set(count, copies);
    return copies;
  }

  /** Part of the slots that each node owns. */
  shares(): ReadonlyMap<NodeId, number> {
    const copies = this.nodes.length === 0 ? [] : this.copies(1);
    return new Map(this.#ids.map((id, index) => [id, copies[index]! / this.slots]));
  }

  /** The table as it is, of {@link rowWidth} nodes a row: where a change begins. Do not change it. */
  protected get rows(): Uint16Array {
    return this.#rows;
  }

  #listOf(slot: number): readonly NodeId[] {
    if (this.#listLength === 0) {
      this.#lists = new Array<readonly NodeId[] | undefined>(this.slots).fill(undefined);
      this.#listLength = this.#width;
    }
    const known = this.#lists[slot];
    if (known !== undefined) return known;
    const row = this.#rowOf(slot);
    const name = row.join();
    const list = this.#listOfRow.get(name) ?? Object.freeze(Array.from(row, (index) => this.#ids[index]!));
    this.#listOfRow.set(name, list);
    this.#lists[slot] = list;
    return list;
  }

  #rowOf(slot: number): Uint16Array {
    return this.#rows.subarray(slot * this.#width, (slot + 1) * this.#width);
  }

  #expectCount(count: number): void {
    if (this.nodes.length === 0) throw new NoNodesError();
    expectInteger('count', count, 1, this.nodes.length);
  }
}

function ownersOf(rows: Uint16Array, width: number, nodeCount: number): Uint8Array | Uint16Array {
  if (width === 0) return rows;
  if (width === 1 && nodeCount > 2 ** 8) return rows;
  const owners = nodeCount > 2 ** 8 ? new Uint16Array(rows.length / width) : new Uint8Array(rows.length / width);
  for (let slot = 0; slot < owners.length; slot++) owners[slot] = rows[slot * width]!;
  return owners;
}

/** Slots whose rows have other nodes, or the same in another order. */
function differingSlots(before: TablePlacement, after: TablePlacement, count: number): SlotRuns {
  const indexBefore = indexesBefore(before.nodes, after.nodes);
  const [was, is] = [before.slotTable(count), after.slotTable(count)];
  const runs: [number, number][] = [];
  for (let index = 0; index < is.length; index++) {
    if (indexBefore[is[index]!] === was[index]) continue;
    const slot = Math.floor(index / count);
    const last = runs.at(-1);
    if (last !== undefined && last[1] >= slot) last[1] = slot + 1;
    else runs.push([slot, slot + 1]);
  }
  return runs;
}

/** Joins neighbouring slots of equal rows. */
function arcsOfTable(table: Uint16Array, count: number): Arcs<number> {
  const starts: number[] = [];
  const rows: number[] = [];
  for (let row = 0; row < table.length; row += count) {
    if (row > 0 && sameRow(table, row - count, row, count)) continue;
    starts.push(row / count);
    for (let index = 0; index < count; index++) rows.push(table[row + index]!);
  }
  return { starts, rows };
}

/** Whether the rows of `count` that start at `a` and at `b` have the same nodes. */
function sameRow(table: Uint16Array, a: number, b: number, count: number): boolean {
  for (let index = 0; index < count; index++) if (table[a + index] !== table[b + index]) return false;
  return true;
}
