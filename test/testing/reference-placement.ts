import { NoNodesError } from '../../src/errors/index.ts';
import { xxh32 } from '../../src/hash/xxh32.ts';
import { addMember, parseNodes, removeMember, reweighMember } from '../../src/placement/members.ts';
import { type NodeId, type NodeInput, type PlacementNode, sortNodes } from '../../src/placement/node.ts';
import type { Arcs, SlottedPlacement } from '../../src/placement/placement.ts';
import { routingKeyOf } from '../../src/placement/routing-key.ts';
import {
  checksumOf,
  type PlacementSnapshot,
  restoreSnapshot,
  type SnapshotKind,
  snapshotNodes,
} from '../../src/placement/snapshot.ts';
import { spreadOverZones, zonesOf } from '../../src/placement/zones.ts';
import { expectInteger, expectString } from '../../src/runtime/validate.ts';

const kind: SnapshotKind = { format: 'shardring/placement', placement: 'reference/1', parameters: [] };

const scores = new Map<string, number>();

/** Exponential of rate 1, from a hash of slot and node. Kept, as many placements of one run ask for the same ones. */
function exponentialOf(slot: number, id: NodeId): number {
  const label = JSON.stringify([slot, id]);
  let score = scores.get(label);
  if (score === undefined) {
    score = -Math.log((xxh32(label, 7) + 0.5) / 2 ** 32);
    scores.set(label, score);
  }
  return score;
}

/**
 * The least that keeps the whole contract: weighted rendezvous over 512 slots, with nothing made faster. What its parts
 * are called is what the mutants override.
 */
export class ReferencePlacement implements SlottedPlacement {
  readonly slots = 512;
  readonly slotting = 'reference/1';
  readonly nodes: readonly PlacementNode[];
  readonly #orders = new Map<number, readonly NodeId[]>();

  static create(nodes: Iterable<NodeInput>, _replicationFactor: number): ReferencePlacement {
    return new this(parseNodes(nodes));
  }

  static restore(snapshot: unknown): ReferencePlacement {
    return restoreSnapshot(snapshot, kind, (nodes) => new this(nodes));
  }

  constructor(nodes: readonly PlacementNode[]) {
    this.nodes = this.arrange(nodes);
  }

  protected arrange(nodes: readonly PlacementNode[]): readonly PlacementNode[] {
    return sortNodes(nodes);
  }

  protected become(nodes: readonly PlacementNode[]): this {
    return new (this.constructor as new (nodes: readonly PlacementNode[]) => this)(nodes);
  }

  protected score(slot: number, { id, weight }: PlacementNode): number {
    return exponentialOf(slot, id) / weight;
  }

  protected order(slot: number): readonly NodeId[] {
    const known = this.#orders.get(slot);
    if (known !== undefined) return known;
    const scored = this.nodes.map((node, index) => ({ index, score: this.score(slot, node) }));
    const order = scored.sort((a, b) => a.score - b.score || a.index - b.index).map(({ index }) => index);
    const zones = zonesOf(this.nodes);
    const spread = zones === undefined ? order : spreadOverZones(order, zones, order.length);
    const ids = spread.map((index) => this.nodes[index]!.id);
    this.#orders.set(slot, ids);
    return ids;
  }

  protected routingKey(key: string): string {
    return routingKeyOf(expectString('key', key));
  }

  positionOf(key: string): number {
    return xxh32(this.routingKey(key), 0);
  }

  slotOf(key: string): number {
    return this.positionOf(key) >>> 23;
  }

  nodeFor(key: string): NodeId {
    return this.preferenceList(key, 1)[0]!;
  }

  preferenceList(key: string, count: number): readonly NodeId[] {
    if (this.nodes.length === 0) throw new NoNodesError();
    expectInteger('count', count, 1, this.nodes.length);
    return Object.freeze(this.order(this.slotOf(key)).slice(0, count));
  }

  withNode(node: NodeInput): ReferencePlacement {
    return this.become(addMember(this.nodes, node));
  }

  withoutNode(id: NodeId): ReferencePlacement {
    return this.become(removeMember(this.nodes, id));
  }

  withWeight(id: NodeId, weight: number): ReferencePlacement {
    return this.become(reweighMember(this.nodes, id, weight));
  }

  arcs(count: number): Arcs<number> {
    if (this.nodes.length === 0) throw new NoNodesError();
    expectInteger('count', count, 1, this.nodes.length);
    const indexes = new Map(this.nodes.map(({ id }, index) => [id, index]));
    const starts = Array.from({ length: this.slots }, (_, slot) => slot);
    return {
      starts,
      rows: starts.flatMap((slot) =>
        this.order(slot)
          .slice(0, count)
          .map((id) => indexes.get(id)!),
      ),
    };
  }

  shares(): ReadonlyMap<NodeId, number> {
    const shares = new Map(this.nodes.map(({ id }) => [id, 0]));
    for (let slot = 0; slot < this.slots && this.nodes.length > 0; slot++) {
      const owner = this.order(slot)[0]!;
      shares.set(owner, shares.get(owner)! + 1 / this.slots);
    }
    return shares;
  }

  get checksum(): string {
    return checksumOf(kind.placement, [], this.nodes);
  }

  toSnapshot(): PlacementSnapshot {
    const { format, placement } = kind;
    return { format, version: 1, placement, nodes: snapshotNodes(this.nodes), checksum: this.checksum };
  }
}

export type ReferenceKind = typeof ReferencePlacement;
