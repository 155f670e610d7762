/**
 * Rows of a table in which the first node is given and the others follow by weighted rendezvous of the slot's number
 * (`rendezvous-score.ts`), a node of a zone that the row does not have yet before all others.
 *
 * The slots of one node therefore fail over to all the others in proportion to their weights, and the order of the others
 * depends on no more than who they are.
 *
 *   u   (bits + 1/2) / 2^32, where score = -ln(u) / weight     in (0, 1)
 *
 * Few nodes come into question for a place. Since -ln(u) >= 1 - u, which is tight where it matters, a node whose
 * (1 - u) / weight is above the highest score that is still in the race is passed over without its logarithm.
 */

import { fmix32 } from '../../hash/fmix32.ts';
import type { PlacementNode } from '../node.ts';
import { nodeHashes } from '../node-hashes.ts';
import { exponential } from '../rendezvous/exponential.ts';
import { type Zones, zonesOf } from '../zones.ts';

/** More than all rounding errors of a score, relative to it. */
const margin = 1 + 1e-9;

export class FailoverRows {
  /** Node index of the owner of every slot. Empty where there is no node. Do not change it. */
  readonly owners: Uint16Array;

  readonly #weights: Float64Array;
  readonly #h1: Int32Array;
  readonly #h2: Int32Array;
  readonly #zones: Zones | undefined;
  /** Scores of the nodes that have been chosen so far, by place in the row. */
  readonly #scores: Float64Array;

  /**
   * @param nodes   Ascending by id, which decides where two scores are equal.
   * @param owners  Belongs to the rows from now on.
   */
  constructor(nodes: readonly PlacementNode[], owners: Uint16Array, hashSeed: number) {
    const hashes = nodes.map(({ id }) => nodeHashes(id, hashSeed));
    this.owners = owners;
    this.#weights = Float64Array.from(nodes, ({ weight }) => weight);
    this.#h1 = Int32Array.from(hashes, ({ h1 }) => h1);
    this.#h2 = Int32Array.from(hashes, ({ h2 }) => h2);
    this.#zones = zonesOf(nodes);
    this.#scores = new Float64Array(nodes.length);
  }

  /** The table of `count` nodes a row. Costs slots * nodes steps where `count` is above 1. */
  table(count: number): Uint16Array {
    if (count < 2) return this.owners;
    const rows = new Uint16Array(this.owners.length * count);
    for (let slot = 0; slot < this.owners.length; slot++) this.#fill(slot, count, rows, slot * count);
    return rows;
  }

  /** One row of `count` nodes. */
  row(slot: number, count: number): Uint16Array {
    const row = new Uint16Array(count);
    this.#fill(slot, count, row, 0);
    return row;
  }

  #fill(slot: number, count: number, rows: Uint16Array, offset: number): void {
    rows[offset] = this.owners[slot]!;
    if (this.#zones === undefined) {
      this.#choose(slot, rows, offset, 1, count, undefined);
      return;
    }
    const zonesEnd = Math.min(count, this.#zones.count);
    this.#choose(slot, rows, offset, 1, zonesEnd, this.#zones.zoneOf);
    if (zonesEnd < count) this.#choose(slot, rows, offset, zonesEnd, count, undefined);
  }

  /**
   * Fills the places [first, end) of a row by ascending score.
   * @param zoneOf  Given: only nodes of zones that the row does not have, one of each. There are enough of them.
   */
  #choose(
    slot: number,
    rows: Uint16Array,
    offset: number,
    first: number,
    end: number,
    zoneOf: Uint16Array | undefined,
  ): void {
    const h1 = this.#h1;
    const h2 = this.#h2;
    const weights = this.#weights;
    const scores = this.#scores;
    let length = first;
    let limit = Number.POSITIVE_INFINITY;
    for (let node = 0; node < weights.length; node++) {
      const bits = fmix32(fmix32(slot + h1[node]!) ^ h2[node]!);
      if (((~bits >>> 0) + 0.5) * 2 ** -32 > limit * weights[node]!) continue;
      const score = exponential(bits) / weights[node]!;
      if (length === end && score >= scores[end - 1]!) continue;
      const rival = rivalOf(node, rows, offset, first, length, zoneOf);
      // A rival that is as good as the node keeps its place; one that is worse gives it up.
      if (rival !== -1 && (rival < first || scores[rival]! <= score)) continue;

      let place = rival !== -1 ? rival : length < end ? length++ : end - 1;
      for (; place > first && scores[place - 1]! > score; place--) {
        scores[place] = scores[place - 1]!;
        rows[offset + place] = rows[offset + place - 1]!;
      }
      scores[place] = score;
      rows[offset + place] = node;
      if (length === end) limit = scores[end - 1]! * margin;
    }
  }
}

/**
 * The place of the row whose node keeps out this one: because it is the same, or it is of the same zone where `zoneOf` is
 * given. -1 if there is none.
 */
function rivalOf(
  node: number,
  rows: Uint16Array,
  offset: number,
  first: number,
  length: number,
  zoneOf: Uint16Array | undefined,
): number {
  if (zoneOf !== undefined) {
    for (let place = 0; place < length; place++) if (zoneOf[rows[offset + place]!] === zoneOf[node]) return place;
    return -1;
  }
  // From `first` on stand only nodes that came before this one.
  for (let place = 0; place < first; place++) if (rows[offset + place] === node) return place;
  return -1;
}
