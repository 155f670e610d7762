/**
 * An immutable ring of points that gives the very nodes that another program gives.
 *
 * Source: D. Karger et al., "Consistent Hashing and Random Trees", STOC 1997, doi:10.1145/258533.258660. What a point and
 * a key's position are is the rule's to say: `ketama.ts`, `libmemcached.ts`, `npm-hashring.ts`, `twemproxy.ts`.
 *
 * Exact on 32 bits: every position is a slot of its own. A point owns the arc that ends at itself, (previous, own]; of
 * several on one position the first owns it, and the others own nothing. A node may have no point at all, where its
 * weight is small beside the others': it then owns nothing, and stands last in every preference list.
 *
 * The other programs name one node for a key. A longer preference list goes on clockwise, each node once.
 */

import { NoNodesError, SnapshotError } from '../../errors/index.ts';
import { expectInteger, expectString } from '../../runtime/validate.ts';
import { addMember, parseNodes, removeMember, reweighMember } from '../members.ts';
import { type NodeId, type NodeInput, type PlacementNode, sortNodes } from '../node.ts';
import type { Arcs, SlottedPlacement } from '../placement.ts';
import type { VirtualNodes } from '../ring/virtual-nodes.ts';
import { checksumOf, kindOfSnapshot, type PlacementSnapshot, restoreSnapshot, snapshotNodes } from '../snapshot.ts';
import { spreadOverZones, type Zones, zonesOf } from '../zones.ts';
import { PointDirectory } from './point-directory.ts';
import { maxPoints, type PointRule } from './point-rule.ts';
import { ruleKinds } from './rule-kinds.ts';

const positionCount = 2 ** 32;

export class PointRing implements SlottedPlacement {
  /** Ascending by id, or as listed where the other program's mapping depends on the order of the list. */
  readonly nodes: readonly PlacementNode[];
  readonly slots = positionCount;
  readonly slotting: string;
  readonly checksum: string;

  readonly #rule: PointRule;
  readonly #ids: readonly NodeId[];
  readonly #points: VirtualNodes;
  readonly #directory: PointDirectory;
  readonly #zones: Zones | undefined;
  /** Nodes that have no point, by index. */
  readonly #pointless: readonly number[];
  /** Zones that have a point; all nodes that have one where no zones are known. */
  readonly #zonesWithPoints: number;

  /**
   * @param nodes  At most 65,535 with different ids. May be empty; every lookup then throws.
   * @throws {InvalidArgumentError} A node is wrong, an id comes twice, or a weight is not one that the program takes.
   */
  static create(nodes: Iterable<NodeInput>, rule: PointRule): PointRing {
    return new PointRing(parseNodes(nodes), rule);
  }

  /**
   * The ring that a snapshot was taken of, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown fields, or was altered.
   */
  static fromSnapshot(snapshot: unknown): PointRing {
    const placement = kindOfSnapshot(snapshot);
    const kind = ruleKinds.find((known) => known.placement === placement);
    if (kind === undefined) {
      const known = ruleKinds.map((each) => `"${each.placement}"`).join(', ');
      throw new SnapshotError(`unsupported placement kind; PointRing restores: ${known}`);
    }
    const { parameters } = kind;
    return restoreSnapshot(
      snapshot,
      { format: 'shardring/placement', placement: kind.placement, parameters },
      (nodes, given) => PointRing.create(nodes, kind.make(given)),
    );
  }

  private constructor(members: readonly PlacementNode[], rule: PointRule) {
    // Sorted in any case, since that finds an id that comes twice.
    const sorted = sortNodes(members);
    this.nodes = rule.isOrdered ? Object.freeze([...members]) : sorted;
    this.slotting = `${rule.keyHash} slots=2^32`;
    this.checksum = checksumOf(rule.placement, Object.values(rule.parameters), this.nodes);
    this.#rule = rule;
    this.#ids = this.nodes.map(({ id }) => id);
    this.#points = sortPoints(rule.pointsOf(this.nodes));
    this.#directory = new PointDirectory(this.#points.positions);
    this.#zones = zonesOf(this.nodes);
    const withPoints = new Set(this.#points.owners);
    this.#pointless = [...this.nodes.keys()].filter((index) => !withPoints.has(index));
    this.#zonesWithPoints = new Set([...withPoints].map((index) => this.#zoneOf(index))).size;
  }

  nodeFor(key: string): NodeId {
    const owner = this.#points.owners[this.#directory.firstAtOrAfter(this.positionOf(key))];
    if (owner === undefined) throw new NoNodesError();
    return this.#ids[owner]!;
  }

  preferenceList(key: string, count: number): readonly NodeId[] {
    const position = this.positionOf(key);
    this.#expectCount(count);
    const order = this.#orderFrom(this.#directory.firstAtOrAfter(position), count);
    return Object.freeze(order.map((index) => this.#ids[index]!));
  }

  routingKeyOf(key: string): string {
    return this.#rule.routingKeyOf?.(key) ?? key;
  }

  /** @throws {InvalidArgumentError} `key` is not a string. */
  positionOf(key: string): number {
    return this.#rule.positionOf(expectString('key', key));
  }

  slotOf(key: string): number {
    return this.positionOf(key);
  }

  /** A new node comes last in the list, where the order of the list matters. */
  withNode(node: NodeInput): PointRing {
    return new PointRing(addMember(this.nodes, node), this.#rule);
  }

  withoutNode(id: NodeId): PointRing {
    return new PointRing(removeMember(this.nodes, id), this.#rule);
  }

  withWeight(id: NodeId, weight: number): PointRing {
    return new PointRing(reweighMember(this.nodes, id, weight), this.#rule);
  }

  /** Part of the 2^32 positions that each node owns: exact, and of the keys as far as the hash spreads them. */
  shares(): ReadonlyMap<NodeId, number> {
    const owned = new Float64Array(this.nodes.length);
    const { positions, owners } = this.#points;
    for (let index = 0; index < positions.length; index++) {
      const previous = index > 0 ? positions[index - 1]! : positions[positions.length - 1]! - positionCount;
      owned[owners[index]!]! += positions[index]! - previous;
    }
    return new Map(this.#ids.map((id, index) => [id, owned[index]! / positionCount]));
  }

  arcs(count: number): Arcs<number> {
    this.#expectCount(count);
    const { positions } = this.#points;
    const starts: number[] = [];
    const rows: number[] = [];
    const push = (start: number, point: number) => {
      starts.push(start);
      for (const node of this.#orderFrom(point, count)) rows.push(node);
    };
    for (let index = 0; index < positions.length; index++) {
      if (index === 0) push(0, 0);
      else if (positions[index] !== positions[index - 1]) push(positions[index - 1]! + 1, index);
    }
    // The positions after the last point belong to the first.
    const last = positions[positions.length - 1]! + 1;
    if (last < positionCount) push(last, 0);
    return { starts, rows: Uint16Array.from(rows) };
  }

  toSnapshot(): PlacementSnapshot {
    return {
      format: 'shardring/placement',
      version: 1,
      placement: this.#rule.placement,
      ...this.#rule.parameters,
      nodes: snapshotNodes(this.nodes),
      checksum: this.checksum,
    };
  }

  #zoneOf(node: number): number {
    return this.#zones === undefined ? node : this.#zones.zoneOf[node]!;
  }

  /**
   * The first `count` nodes from a point on. Walks until `count` nodes are met and, where zones are known, one of every
   * zone there is to meet (or of `count` zones); what lies beyond cannot come into the list any more.
   */
  #orderFrom(point: number, count: number): readonly number[] {
    const { owners } = this.#points;
    const met = new Set<number>();
    const zonesMet = new Set<number>();
    const nodesWanted = Math.min(count, this.nodes.length - this.#pointless.length);
    const zonesWanted = this.#zones === undefined ? 0 : Math.min(count, this.#zonesWithPoints);
    for (let index = point; met.size < nodesWanted || zonesMet.size < zonesWanted; ) {
      const owner = owners[index]!;
      met.add(owner);
      if (zonesWanted > 0) zonesMet.add(this.#zoneOf(owner));
      index = index + 1 < owners.length ? index + 1 : 0;
    }
    const order = [...met, ...this.#pointless];
    return this.#zones === undefined ? order.slice(0, count) : spreadOverZones(order, this.#zones, count);
  }

  #expectCount(count: number): void {
    if (this.nodes.length === 0) throw new NoNodesError();
    expectInteger('count', count, 1, this.nodes.length);
  }
}

/** Sorts by position, equal positions in the order given. */
function sortPoints({ positions, owners }: VirtualNodes): VirtualNodes {
  // 32 bits of position above 21 bits of place: exact in a double, and doubles sort without a comparing function.
  const packed = Float64Array.from(positions, (position, place) => position * maxPoints + place).sort();
  const sorted = { positions: new Uint32Array(packed.length), owners: new Uint16Array(packed.length) };
  for (let index = 0; index < packed.length; index++) {
    const position = Math.floor(packed[index]! / maxPoints);
    sorted.positions[index] = position;
    sorted.owners[index] = owners[packed[index]! - position * maxPoints]!;
  }
  return sorted;
}
