/**
 * Weighted rendezvous hashing (highest random weight): every node scores for the key, and the lowest score owns it.
 *
 * Sources and the formula of a score: `rendezvous-score.ts`, with x the position of the key.
 *
 * There is no table and nothing to build, and the shares are exactly those of the weights: no slot, no virtual node. In
 * return a lookup scores all N nodes. It is the choice for up to about ten nodes; for more, or for rebalancing by arcs,
 * there is `rendezvous-table.ts`.
 *
 * Properties that tests hold: the order of joining does not matter; removing a node moves only its keys; adding a node
 * or raising a weight moves keys only to that node; a shorter preference list is a prefix of a longer one.
 */

import { NoNodesError } from '../../errors/index.ts';
import { expectInteger, expectOptions } from '../../runtime/validate.ts';
import { addMember, parseNodes, removeMember, reweighMember } from '../members.ts';
import { type NodeId, type NodeInput, type PlacementNode, sortNodes } from '../node.ts';
import { nodeHashes } from '../node-hashes.ts';
import type { Placement } from '../placement.ts';
import { positionBits } from '../position.ts';
import { routingKeyOf } from '../routing-key.ts';
import { checksumOf, type PlacementSnapshot, restoreSnapshot, type SnapshotKind, snapshotNodes } from '../snapshot.ts';
import { type Zones, zonesOf } from '../zones.ts';
import { rendezvousBits, rendezvousScore } from './rendezvous-score.ts';
import { rowOf } from './score-rows.ts';

export interface RendezvousOptions {
  /** Seed of the hash, an integer in [0, 2^32); default 0. Keep it secret where strangers choose keys. */
  readonly hashSeed?: number | undefined;
}

export interface RendezvousSnapshot extends PlacementSnapshot {
  readonly format: 'shardring/placement';
  readonly placement: 'rendezvous/1';
  readonly hashSeed: number;
}

const snapshotKind = {
  format: 'shardring/placement',
  placement: 'rendezvous/1',
  parameters: ['hashSeed'],
} as const satisfies SnapshotKind;

export class Rendezvous implements Placement {
  readonly nodes: readonly PlacementNode[];
  readonly hashSeed: number;

  readonly #h1: Int32Array;
  readonly #h2: Int32Array;
  readonly #weights: Float64Array;
  /** All weights are 1: the lowest score is then the highest draw, and no logarithm is needed to find it. */
  readonly #plain: boolean;
  readonly #zones: Zones | undefined;
  #checksum: string | undefined;

  /**
   * @param nodes  In any order, with different ids. May be empty; every lookup then throws.
   * @throws {InvalidArgumentError} An option or node is out of range, unknown, or an id comes twice.
   */
  static create(nodes: Iterable<NodeInput>, options: RendezvousOptions = {}): Rendezvous {
    const { hashSeed } = expectOptions('options', options, ['hashSeed']);
    return new Rendezvous(sortNodes(parseNodes(nodes)), expectInteger('hashSeed', hashSeed ?? 0, 0, 2 ** 32 - 1));
  }

  /**
   * The placement that a snapshot was taken of, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown fields, or was altered.
   */
  static fromSnapshot(snapshot: unknown): Rendezvous {
    return restoreSnapshot(snapshot, snapshotKind, (nodes, { hashSeed }) =>
      Rendezvous.create(nodes, { hashSeed: expectInteger('hashSeed', hashSeed, 0) }),
    );
  }

  private constructor(nodes: readonly PlacementNode[], hashSeed: number) {
    this.nodes = Object.freeze(nodes);
    this.hashSeed = hashSeed;
    const hashes = nodes.map(({ id }) => nodeHashes(id, hashSeed));
    this.#h1 = Int32Array.from(hashes, ({ h1 }) => h1);
    this.#h2 = Int32Array.from(hashes, ({ h2 }) => h2);
    this.#weights = Float64Array.from(nodes, ({ weight }) => weight);
    this.#plain = this.#weights.every((weight) => weight === 1);
    this.#zones = zonesOf(nodes);
  }

  /** @see routingKeyOf */
  routingKeyOf(key: string): string {
    return routingKeyOf(key);
  }

  /** @see Placement.nodeFor */
  nodeFor(key: string): NodeId {
    const position = positionBits(key, this.hashSeed);
    if (this.nodes.length === 0) throw new NoNodesError();
    return this.nodes[this.#plain ? this.#highestDraw(position) : this.#lowestScore(position)]!.id;
  }

  /** @see Placement.preferenceList */
  preferenceList(key: string, count: number): readonly NodeId[] {
    const position = positionBits(key, this.hashSeed);
    if (this.nodes.length === 0) throw new NoNodesError();
    expectInteger('count', count, 1, this.nodes.length);
    const scores = new Float64Array(this.nodes.length);
    for (let node = 0; node < scores.length; node++) {
      scores[node] = rendezvousScore(position, this.#h1[node]!, this.#h2[node]!, this.#weights[node]!);
    }
    const row = rowOf(scores, { width: count, zones: this.#zones });
    const list: NodeId[] = [];
    for (let place = 0; place < count; place++) list.push(this.nodes[row[place]!]!.id);
    return Object.freeze(list);
  }

  withNode(node: NodeInput): Rendezvous {
    return new Rendezvous(sortNodes(addMember(this.nodes, node)), this.hashSeed);
  }

  withoutNode(id: NodeId): Rendezvous {
    return new Rendezvous(removeMember(this.nodes, id), this.hashSeed);
  }

  withWeight(id: NodeId, weight: number): Rendezvous {
    return new Rendezvous(reweighMember(this.nodes, id, weight), this.hashSeed);
  }

  /** Each weight's part of their sum, which is the expected share of the keys: nothing is between it and the keys. */
  shares(): ReadonlyMap<NodeId, number> {
    // Relative to the heaviest, so that no sum is too large for a double.
    const heaviest = this.#weights.reduce((most, weight) => Math.max(most, weight), 0);
    const total = this.#weights.reduce((sum, weight) => sum + weight / heaviest, 0);
    return new Map(this.nodes.map(({ id, weight }) => [id, weight / heaviest / total]));
  }

  get checksum(): string {
    this.#checksum ??= checksumOf(snapshotKind.placement, [this.hashSeed], this.nodes);
    return this.#checksum;
  }

  toSnapshot(): RendezvousSnapshot {
    const { format, placement } = snapshotKind;
    const { hashSeed, checksum } = this;
    return { format, version: 1, placement, hashSeed, nodes: snapshotNodes(this.nodes), checksum };
  }

  #lowestScore(position: number): number {
    let best = 0;
    let lowest = Number.POSITIVE_INFINITY;
    for (let node = 0; node < this.#weights.length; node++) {
      const score = rendezvousScore(position, this.#h1[node]!, this.#h2[node]!, this.#weights[node]!);
      if (score < lowest) {
        lowest = score;
        best = node;
      }
    }
    return best;
  }

  #highestDraw(position: number): number {
    let best = 0;
    let highest = -1;
    for (let node = 0; node < this.#weights.length; node++) {
      const draw = rendezvousBits(position, this.#h1[node]!, this.#h2[node]!) >>> 0;
      if (draw > highest) {
        highest = draw;
        best = node;
      }
    }
    return best;
  }
}
