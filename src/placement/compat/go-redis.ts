/**
 * The nodes that a go-redis Ring gives to keys: rendezvous hashing over the names of its shards.
 *
 * Sources: go-redis 9, `ring.go` and, from 9.19 on, `internal/hashtag/rendezvous.go` (before that the same function came
 * from github.com/dgryski/go-rendezvous), https://github.com/redis/go-redis. D. G. Thaler, C. V. Ravishankar, "Using
 * name-based mappings to increase hit rates", IEEE/ACM Transactions on Networking 6(1), 1998, doi:10.1109/90.663936
 * (rendezvous). S. Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", ACM TOMS 42(4),
 * 2016, doi:10.1145/2845077 (the mix: one step of xorshift64*).
 *
 *   k              XXH64 of the UTF-8 bytes of the routing key                64 bits
 *   n              XXH64 of the node's id, which is the shard's name          64 bits
 *   score          mix(k ^ n), unsigned; the highest owns the key             64 bits
 *   mix(x)         x ^= x >> 12; x ^= x << 25; x ^= x >> 27; x * 2685821657736338717
 *
 * 64-bit numbers are pairs of 32-bit words here, low and high.
 *
 * Decided here, because go-redis leaves it open: it names no shard but the first, so the order of the others is that of
 * falling scores (it is also where go-redis would send the key with the shards before them gone). `mix` is a bijection, so
 * two shards tie only where the XXH64 of their names are equal; go-redis then takes either, here it is the id that sorts
 * first. go-redis sends commands without a key, and in pipelines also those of the empty key, to a shard drawn at random.
 * Keys of bytes that are not UTF-8 cannot be written as a string.
 *
 * A lookup costs one hash and one mix for each node. There are no weights, since go-redis has none.
 */

import { InvalidArgumentError, NoNodesError } from '../../errors/index.ts';
import { multiplyHigh } from '../../hash/multiply-high.ts';
import { xxh64 } from '../../hash/xxh64.ts';
import { expectInteger, expectString } from '../../runtime/validate.ts';
import { addMember, memberIndex, parseNodes, removeMember } from '../members.ts';
import { type NodeId, type NodeInput, type PlacementNode, sortNodes } from '../node.ts';
import type { Placement } from '../placement.ts';
import { routingKeyOf } from '../routing-key.ts';
import { checksumOf, type PlacementSnapshot, restoreSnapshot, type SnapshotKind, snapshotNodes } from '../snapshot.ts';
import { spreadOverZones, type Zones, zonesOf } from '../zones.ts';

/** Keys that {@link GoRedisRing.shares} counts. The spread of a share of 1/N is about sqrt(N / 65,536): 1.2 % for 10 nodes. */
const sampleKeys = 2 ** 16;

const multiplierLow = 0x4f6cdd1d;
const multiplierHigh = 0x2545f491;

const kind: SnapshotKind = { format: 'shardring/placement', placement: 'go-redis/1', parameters: [] };

/** The place of the hash of the key that is being looked up. */
const hashed = new Int32Array(2);

export class GoRedisRing implements Placement {
  /** Ascending by id. */
  readonly nodes: readonly PlacementNode[];

  readonly #lows: Int32Array;
  readonly #highs: Int32Array;
  readonly #zones: Zones | undefined;
  #shares: ReadonlyMap<NodeId, number> | undefined;
  #checksum: string | undefined;

  /**
   * @param nodes  At most 65,535, in any order; the ids are the names in go-redis' `RingOptions.Addrs`.
   * @throws {InvalidArgumentError} A node is out of range, an id comes twice, or a weight is not 1.
   */
  static create(nodes: Iterable<NodeInput>): GoRedisRing {
    const parsed = parseNodes(nodes);
    for (const [index, { weight }] of parsed.entries()) expectUnitWeight(`nodes[${index}].weight`, weight);
    return new GoRedisRing(sortNodes(parsed));
  }

  /**
   * The placement that a snapshot was taken of, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown fields, or was altered.
   */
  static fromSnapshot(snapshot: unknown): GoRedisRing {
    return restoreSnapshot(snapshot, kind, (nodes) => GoRedisRing.create(nodes));
  }

  private constructor(nodes: readonly PlacementNode[]) {
    this.nodes = nodes;
    this.#lows = new Int32Array(nodes.length);
    this.#highs = new Int32Array(nodes.length);
    this.#zones = zonesOf(nodes);
    for (const [index, { id }] of nodes.entries()) {
      xxh64(id, hashed);
      this.#lows[index] = hashed[0]!;
      this.#highs[index] = hashed[1]!;
    }
  }

  get checksum(): string {
    this.#checksum ??= checksumOf(kind.placement, [], this.nodes);
    return this.#checksum;
  }

  /** @see routingKeyOf */
  routingKeyOf(key: string): string {
    return routingKeyOf(key);
  }

  /** @see Placement.nodeFor */
  nodeFor(key: string): NodeId {
    if (this.nodes.length === 0) throw new NoNodesError();
    hashKey(key);
    return this.nodes[this.#owner(hashed[0]!, hashed[1]!)]!.id;
  }

  /** @see Placement.preferenceList */
  preferenceList(key: string, count: number): readonly NodeId[] {
    if (this.nodes.length === 0) throw new NoNodesError();
    expectInteger('count', count, 1, this.nodes.length);
    hashKey(key);
    const order = this.#order(hashed[0]!, hashed[1]!);
    const row = this.#zones === undefined ? order.slice(0, count) : spreadOverZones(order, this.#zones, count);
    return Object.freeze(row.map((index) => this.nodes[index]!.id));
  }

  withNode(node: NodeInput): GoRedisRing {
    const nodes = addMember(this.nodes, node);
    expectUnitWeight('node.weight', nodes.at(-1)!.weight);
    return new GoRedisRing(sortNodes(nodes));
  }

  withoutNode(id: NodeId): GoRedisRing {
    return new GoRedisRing(sortNodes(removeMember(this.nodes, id)));
  }

  /** @throws {InvalidArgumentError} There is no such node, or the weight is not 1. */
  withWeight(id: NodeId, weight: number): GoRedisRing {
    memberIndex(this.nodes, id);
    expectUnitWeight('weight', weight);
    return this;
  }

  /** Shares of the keys '0' to '65535'. The expected share is 1/N for each node; the sample shows it within its own spread. */
  shares(): ReadonlyMap<NodeId, number> {
    this.#shares ??= this.#countShares();
    return new Map(this.#shares);
  }

  toSnapshot(): PlacementSnapshot {
    const { format, placement } = kind;
    return { format, version: 1, placement, nodes: snapshotNodes(this.nodes), checksum: this.checksum };
  }

  /** Index of the node of the highest score; of equal ones the first. */
  #owner(keyLow: number, keyHigh: number): number {
    const lows = this.#lows;
    const highs = this.#highs;
    let owner = 0;
    let best = -1;
    for (let index = 0; index < lows.length; index++) {
      const high = mixHigh(keyLow ^ lows[index]!, keyHigh ^ highs[index]!);
      if (high < best) continue;
      // Two equal high words come once in 2^32 pairs, so the low ones are worked out only then.
      if (high === best && this.#lowScore(index, keyLow, keyHigh) <= this.#lowScore(owner, keyLow, keyHigh)) continue;
      best = high;
      owner = index;
    }
    return owner;
  }

  /** All nodes by falling score; equal ones by index, which is the order of their ids. */
  #order(keyLow: number, keyHigh: number): number[] {
    const scores = Array.from(this.nodes, (_, index) =>
      mixHigh(keyLow ^ this.#lows[index]!, keyHigh ^ this.#highs[index]!),
    );
    const lowScore = (index: number) => this.#lowScore(index, keyLow, keyHigh);
    return scores
      .map((_, index) => index)
      .sort((a, b) => scores[b]! - scores[a]! || lowScore(b) - lowScore(a) || a - b);
  }

  #lowScore(index: number, keyLow: number, keyHigh: number): number {
    return mixLow(keyLow ^ this.#lows[index]!, keyHigh ^ this.#highs[index]!);
  }

  #countShares(): ReadonlyMap<NodeId, number> {
    const counts = new Uint32Array(this.nodes.length);
    for (let key = 0; this.nodes.length > 0 && key < sampleKeys; key++) {
      xxh64(`${key}`, hashed);
      counts[this.#owner(hashed[0]!, hashed[1]!)]!++;
    }
    return new Map(this.nodes.map(({ id }, index) => [id, counts[index]! / sampleKeys]));
  }
}

function hashKey(key: string): void {
  xxh64(routingKeyOf(expectString('key', key)), hashed);
}

function expectUnitWeight(field: string, weight: number): void {
  if (weight !== 1) throw new InvalidArgumentError(field, '1 (a go-redis Ring has no weights)', weight);
}

/** The high word of mix(x), unsigned. The xorshifts are those of {@link mixLow}. */
function mixHigh(xLow: number, xHigh: number): number {
  let low = xLow ^ ((xLow >>> 12) | (xHigh << 20));
  let high = xHigh ^ (xHigh >>> 12);
  high ^= (high << 25) | (low >>> 7);
  low ^= low << 25;
  low ^= (low >>> 27) | (high << 5);
  high ^= high >>> 27;
  return (multiplyHigh(low, multiplierLow) + Math.imul(low, multiplierHigh) + Math.imul(high, multiplierLow)) >>> 0;
}

/** The low word of mix(x), unsigned. */
function mixLow(xLow: number, xHigh: number): number {
  let low = xLow ^ ((xLow >>> 12) | (xHigh << 20));
  let high = xHigh ^ (xHigh >>> 12);
  high ^= (high << 25) | (low >>> 7);
  low ^= low << 25;
  low ^= (low >>> 27) | (high << 5);
  return Math.imul(low, multiplierLow) >>> 0;
}
