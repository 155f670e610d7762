/**
 * How a Maglev table is filled.
 *
 * Source: D. E. Eisenbud et al., NSDI 2016, section 3.4 (see `maglev.ts`).
 *
 *   S          slots, a power of two 2^b
 *   h1, h2     the two hashes of a node, see `rendezvous-score.ts`
 *   offset     top b bits of h1
 *   skip       top b bits of h2, made odd
 *   place j    (offset + j * skip) mod S: the slot that the node prefers in j-th place, j from 0
 *
 * In the paper S is a prime, so that the places of a node run through all slots whatever its skip. With a power of two
 * and an odd skip they do too; the number of slots can then be the one that all tables here have.
 *
 * The nodes take turns until the table is full. In its turn a node takes the first slot of its places that is free.
 * Turn k of node n, k from 0, comes at time k / (weight_n / greatest weight), worked out in doubles in that order;
 * turns go by time, and at one time by id. So every node has a first turn before any has a second, equal weights take
 * turns in the order of ids, as in the paper, and a node of twice the weight has two turns for one.
 */

import type { PlacementNode } from '../node.ts';
import { nodeHashes } from '../node-hashes.ts';
import { slotShift } from '../table/slot-table.ts';

/** Node indexes are below it, so that it can stand for none. */
const noNode = 2 ** 16;

/**
 * The owner of each slot, by index.
 * @param nodes  Ascending by id. At most as many as there are slots; none gives an empty table.
 */
export function maglevOwners(nodes: readonly PlacementNode[], slots: number, hashSeed: number): Uint16Array {
  if (nodes.length === 0) return new Uint16Array(0);
  const shift = slotShift(slots);
  const hashes = nodes.map(({ id }) => nodeHashes(id, hashSeed));
  /** The slot that a node tries next. */
  const next = Uint32Array.from(hashes, ({ h1 }) => h1 >>> shift);
  const skips = Uint32Array.from(hashes, ({ h2 }) => (h2 >>> shift) | 1);
  const mask = slots - 1;
  const owners = new Uint32Array(slots).fill(noNode);
  const turns = new Turns(Float64Array.from(nodes, ({ weight }) => weight));
  for (let filled = 0; filled < slots; filled++) {
    const node = turns.take();
    let slot = next[node]!;
    while (owners[slot] !== noNode) slot = (slot + skips[node]!) & mask;
    owners[slot] = node;
    next[node] = (slot + skips[node]!) & mask;
  }
  return Uint16Array.from(owners);
}

/** The order of turns: a heap of the nodes by the times of their next turns, or a round where all weights are equal. */
class Turns {
  readonly #isRound: boolean;
  #nextOfRound = 0;
  /** Weights relative to the greatest. */
  readonly #rates: Float64Array;
  readonly #turns: Float64Array;
  readonly #times: Float64Array;
  /** Node indexes; that at `place` comes before those at 2 * place + 1 and 2 * place + 2. */
  readonly #heap: Uint32Array;

  constructor(weights: Float64Array) {
    const greatest = weights.reduce((most, weight) => Math.max(most, weight), 0);
    this.#rates = weights.map((weight) => weight / greatest);
    this.#isRound = this.#rates.every((rate) => rate === 1);
    this.#turns = new Float64Array(weights.length);
    this.#times = new Float64Array(weights.length);
    // All times are 0, so that ascending indexes are a heap.
    this.#heap = Uint32Array.from(weights.keys());
  }

  /** The node whose turn it is. */
  take(): number {
    if (this.#isRound) {
      const node = this.#nextOfRound++;
      if (this.#nextOfRound === this.#rates.length) this.#nextOfRound = 0;
      return node;
    }
    const node = this.#heap[0]!;
    this.#turns[node]!++;
    // Infinity, for a node so light that its turn never comes, is behind the finite times of the heaviest.
    this.#times[node] = this.#turns[node]! / this.#rates[node]!;
    this.#sink();
    return node;
  }

  /** Lets the node at the top sink to where it belongs. */
  #sink(): void {
    const heap = this.#heap;
    const node = heap[0]!;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#isBefore(heap[child]!, node)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = node;
  }

  #isBefore(a: number, b: number): boolean {
    return this.#times[a]! < this.#times[b]! || (this.#times[a] === this.#times[b] && a < b);
  }
}
