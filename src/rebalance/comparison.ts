/** Gathers, piece by piece, what moves between two placements and what each node holds. See `diff.ts`. */

import { indexesBefore } from '../placement/node.ts';
import type { Placement } from '../placement/placement.ts';

/** The pieces [first, end), whose keys go from node `from` to node `to`; indexes into the two `nodes`. */
export interface PieceRun {
  readonly first: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

export interface PlacementDiff {
  readonly basis: 'slots' | 'ranges' | 'keys';
  /** Pieces in all. */
  readonly pieces: number;
  /** Ascending; neighbouring pieces with the same `from` and `to` are one run. */
  readonly runs: readonly PieceRun[];
  /** Copies each node holds, in pieces, by the index of the node in its placement. */
  readonly copiesBefore: Float64Array;
  readonly copiesAfter: Float64Array;
  /** The index before of each node after, -1 of a node that joined. */
  readonly indexBefore: Int32Array;
  /** With the basis 'ranges': the key at which each piece starts. */
  readonly starts?: readonly string[];
}

/** A row of node indexes within an array of them. */
export interface Row {
  readonly nodes: ArrayLike<number>;
  readonly offset: number;
}

export class Comparison {
  /** Nodes in a row before and after. */
  readonly widthBefore: number;
  readonly widthAfter: number;
  readonly copiesBefore: Float64Array;
  readonly copiesAfter: Float64Array;
  /** The same node has different indexes in the two placements: the one before of each one after, -1 where it joined. */
  readonly indexBefore: Int32Array;
  readonly #runs: PieceRun[] = [];
  /** Runs that the next piece may continue: one for each copy of a piece. */
  #open: { first: number; end: number; from: number; to: number }[] = [];

  constructor(before: Placement, after: Placement, replicationFactor: number) {
    this.widthBefore = Math.min(replicationFactor, before.nodes.length);
    this.widthAfter = Math.min(replicationFactor, after.nodes.length);
    this.copiesBefore = new Float64Array(before.nodes.length);
    this.copiesAfter = new Float64Array(after.nodes.length);
    this.indexBefore = indexesBefore(before.nodes, after.nodes);
  }

  /** One of the two has no nodes, so that there is nothing to move, or nowhere to move it from or to. */
  get isEmpty(): boolean {
    return this.widthBefore === 0 || this.widthAfter === 0;
  }

  /** Compares the rows of the pieces [first, end). Pieces must come in ascending order. */
  add(first: number, end: number, before: Row, after: Row): void {
    const pieces = end - first;
    for (let place = 0; place < this.widthBefore; place++) {
      this.copiesBefore[before.nodes[before.offset + place]!]! += pieces;
    }
    for (let place = 0; place < this.widthAfter; place++) {
      this.copiesAfter[after.nodes[after.offset + place]!]! += pieces;
    }
    if (this.isEmpty) return;
    // Pairs the nodes that enter the row with the nodes that leave it, in order.
    let leaving = 0;
    for (let place = 0; place < this.widthAfter; place++) {
      const entering = after.nodes[after.offset + place]!;
      if (this.#stoodIn(before, this.indexBefore[entering]!)) continue;
      while (leaving < this.widthBefore && this.#staysIn(after, before.nodes[before.offset + leaving]!)) leaving++;
      const from = before.nodes[before.offset + (leaving < this.widthBefore ? leaving++ : 0)]!;
      this.#addRun(first, end, from, entering);
    }
  }

  result(basis: PlacementDiff['basis'], pieces: number, starts?: readonly string[]): PlacementDiff {
    this.#close(Number.POSITIVE_INFINITY);
    const { copiesBefore, copiesAfter, indexBefore } = this;
    const runs = this.#runs.sort((a, b) => a.first - b.first || a.to - b.to);
    return { basis, pieces, runs, copiesBefore, copiesAfter, indexBefore, ...(starts === undefined ? {} : { starts }) };
  }

  #stoodIn({ nodes, offset }: Row, nodeBefore: number): boolean {
    for (let place = offset; place < offset + this.widthBefore; place++) if (nodes[place] === nodeBefore) return true;
    return false;
  }

  #staysIn({ nodes, offset }: Row, nodeBefore: number): boolean {
    for (let place = offset; place < offset + this.widthAfter; place++) {
      if (this.indexBefore[nodes[place]!] === nodeBefore) return true;
    }
    return false;
  }

  #addRun(first: number, end: number, from: number, to: number): void {
    if (this.#open.length > 0) {
      this.#close(first);
      const run = this.#open.find((open) => open.from === from && open.to === to && open.end === first);
      if (run !== undefined) {
        run.end = end;
        return;
      }
    }
    this.#open.push({ first, end, from, to });
  }

  /** Closes the runs that a piece at `first` can no longer continue. */
  #close(first: number): void {
    if (this.#open.every((run) => run.end >= first)) return;
    this.#runs.push(...this.#open.filter((run) => run.end < first));
    this.#open = this.#open.filter((run) => run.end >= first);
  }
}
