/**
 * Preference lists for tables that say only who owns a slot: the owners met from the slot on, each node once.
 *
 *   owners  Uint16Array of length S, the owner of each slot; every node owns at least one    node index
 */

import { firstsOf } from '../rendezvous/score-rows.ts';
import type { Zones } from '../zones.ts';

export class SlotWalk {
  readonly #owners: Uint16Array;
  readonly #zones: Zones | undefined;
  /** The number of the last walk that met a node or a zone. Numbers start at 1. */
  readonly #nodeMet: Float64Array;
  readonly #zoneMet: Float64Array;
  #walks = 0;

  /** @param zones  Undefined where every node is alone in its zone. */
  constructor(owners: Uint16Array, nodeCount: number, zones: Zones | undefined) {
    this.#owners = owners;
    this.#zones = zones;
    this.#nodeMet = new Float64Array(nodeCount);
    this.#zoneMet = new Float64Array(zones?.count ?? 0);
  }

  /** The table of `width` nodes a row, as in `table-placement.ts`. @param width  At most the number of nodes. */
  table(width: number): Uint16Array {
    if (width === 1) return this.#owners;
    const rows = new Uint16Array(this.#owners.length * width);
    if (width === 0) return rows;
    for (let slot = 0; slot < this.#owners.length; slot++) this.writeRow(slot, rows, slot * width, width);
    return rows;
  }

  /** Writes the first `width` nodes of a slot to `rows`, from `row` on. @param width  From 1 to the number of nodes. */
  writeRow(slot: number, rows: Uint16Array, row: number, width: number): void {
    const owners = this.#owners;
    const zones = this.#zones;
    const walk = ++this.#walks;
    const firsts = row + firstsOf({ width, zones });
    const end = row + width;
    // The first node met of each zone, and then all others, as in `spreadOverZones`.
    let first = row;
    let other = firsts;
    // Ends within S steps: every node owns a slot.
    for (let index = slot; first < firsts || other < end; index = index + 1 < owners.length ? index + 1 : 0) {
      const node = owners[index]!;
      if (this.#nodeMet[node] === walk) continue;
      this.#nodeMet[node] = walk;
      if (zones === undefined || this.#meetZone(zones.zoneOf[node]!, walk)) {
        if (first < firsts) rows[first++] = node;
      } else if (other < end) {
        rows[other++] = node;
      }
    }
  }

  /** Whether this walk has not met the zone before. */
  #meetZone(zone: number, walk: number): boolean {
    const isNew = this.#zoneMet[zone] !== walk;
    this.#zoneMet[zone] = walk;
    return isNew;
  }
}
