/**
 * The slots of a Redis Cluster: 16,384 of them, found by CRC16 and assigned to nodes range by range.
 *
 * Source: "Redis cluster specification", sections "Key distribution model" and "Hash tags",
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/. The division of the slots by `create` is that
 * of `redis-cli --cluster create`, `clusterManagerCommandCreate` in `src/redis-cli.c` of https://github.com/redis/redis.
 *
 *   slot of a key   CRC16 (XMODEM) of the UTF-8 bytes of its routing key, modulo 16,384
 *   position        slot * 2^18, so that positions are integers in [0, 2^32) as everywhere
 *
 * With `fromRanges` and the answer of CLUSTER SHARDS or CLUSTER SLOTS, a key's first node is the one whose primary has it
 * in that cluster. The nodes after the first are not the replicas of the cluster, which are servers of their own; they are
 * where else among the nodes the key goes, see `range-table.ts`. So is what a change of members does: like
 * `redis-cli --cluster rebalance` it makes the nodes level by weight, but it need not pick the same slots.
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { crc16 } from '../../hash/crc16.ts';
import { expectInteger, expectIterable, expectOptions, expectString } from '../../runtime/validate.ts';
import { apportion } from '../hash-ranges/apportion.ts';
import { type RangeState, RangeTable, rangesOfPairs } from '../hash-ranges/range-table.ts';
import { parseRanges, rangesInOrder, type SlotRange } from '../hash-ranges/slot-ranges.ts';
import { parseNodes } from '../members.ts';
import { type NodeId, type NodeInput, type PlacementNode, parseNode, sortNodes } from '../node.ts';
import { routingKeyOf } from '../routing-key.ts';
import { checksumOf, type PlacementSnapshot, restoreSnapshot, type SnapshotKind, snapshotNodes } from '../snapshot.ts';
import { parseTableOptions, type TableOptions, type TableSettings } from '../table/table-placement.ts';

const redisSlots = 2 ** 14;
const positionsPerSlot = 2 ** 18;

/** The most nodes that Redis recommends for a cluster. From 7,542 on the division of redis-cli leaves nodes without slots. */
const maxMasters = 1_000;

export type RedisSlotsOptions = Pick<TableOptions, 'replicationFactor'>;

/** The slots of one node of a cluster. */
export interface RedisSlotAssignment {
  readonly node: NodeId | NodeInput;
  /** First and last slot of each range, both included, as Redis prints them. Empty for a node without slots. */
  readonly slots: Iterable<readonly [firstSlot: number, lastSlot: number]>;
}

export interface RedisSlotsSnapshot extends PlacementSnapshot {
  /** The slot where each range starts, ascending, and the index of its node. */
  readonly ranges: readonly (readonly [firstSlot: number, nodeIndex: number])[];
}

const optionNames = ['replicationFactor'];

const kind = {
  format: 'shardring/placement',
  placement: 'redis-slots/1',
  parameters: ['ranges'],
} as const satisfies SnapshotKind;

export class RedisSlots extends RangeTable {
  /**
   * The slots as `redis-cli --cluster create` divides them among masters in the order given, which is the order in which it
   * prints them (with servers of several hosts, it takes them from the hosts in turn). It knows no weights: where they
   * are not all equal, the ranges follow in the same order, in proportion to the weights.
   *
   * @param nodes  At most 1,000, with different ids. May be empty; every lookup then throws.
   * @throws {InvalidArgumentError} An option or node is out of range, unknown, or an id comes twice.
   */
  static create(nodes: Iterable<NodeInput>, options: RedisSlotsOptions = {}): RedisSlots {
    const settings = parseSettings(options);
    const parsed = parseNodes(nodes);
    if (parsed.length > maxMasters)
      throw new InvalidArgumentError('nodes', `at most ${maxMasters} nodes`, parsed.length);
    const sorted = sortNodes(parsed);
    const ids = parsed.map(({ id }) => id);
    return new RedisSlots({ nodes: sorted, ranges: rangesInOrder(ids, slotsByWeight(parsed)) }, settings);
  }

  /**
   * The slots as a cluster has them.
   *
   * @param assignments  One for each node, in any order. Every slot has to be in exactly one range.
   * @throws {InvalidArgumentError} As {@link create}, or a range is wrong, two overlap, or a slot is in none.
   */
  static fromRanges(assignments: Iterable<RedisSlotAssignment>, options: RedisSlotsOptions = {}): RedisSlots {
    const settings = parseSettings(options);
    const parsed = [...expectIterable('assignments', assignments)].map(parseAssignment);
    const nodes = sortNodes(parseNodes(parsed.map(({ node }) => node)));
    const ranges = parseRanges(
      parsed.flatMap((assignment) => assignment.ranges),
      nodes,
      redisSlots,
    );
    return new RedisSlots({ nodes, ranges }, settings);
  }

  /**
   * The placement that a snapshot was taken of, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown fields, or was altered.
   */
  static fromSnapshot(snapshot: unknown, options: RedisSlotsOptions = {}): RedisSlots {
    const settings = parseSettings(options);
    return restoreSnapshot(snapshot, kind, (nodes, { ranges: pairs }) => {
      const sorted = sortNodes(nodes);
      return new RedisSlots({ nodes: sorted, ranges: rangesOfPairs(pairs, nodes, redisSlots) }, settings);
    });
  }

  private constructor(state: RangeState, settings: TableSettings) {
    super(state, settings);
  }

  override get slotting(): string {
    return `crc16 slots=${redisSlots}`;
  }

  /** The answer of CLUSTER KEYSLOT for `key`. Integer in [0, 16384). */
  override slotOf(key: string): number {
    const text = expectString('key', key);
    return crc16(routingKeyOf(text)) % redisSlots;
  }

  /** The first position of the key's slot. Integer in [0, 2^32). */
  override positionOf(key: string): number {
    return this.slotOf(key) * positionsPerSlot;
  }

  withNode(node: NodeInput): RedisSlots {
    return new RedisSlots(this.joined(node), this);
  }

  withoutNode(id: NodeId): RedisSlots {
    return new RedisSlots(this.left(id), this);
  }

  withWeight(id: NodeId, weight: number): RedisSlots {
    return new RedisSlots(this.reweighed(id, weight), this);
  }

  toSnapshot(): RedisSlotsSnapshot {
    const { format, placement } = kind;
    const nodes = snapshotNodes(this.nodes);
    return { format, version: 1, placement, ranges: this.rangePairs(), nodes, checksum: this.checksum };
  }

  protected makeChecksum(): string {
    return checksumOf(kind.placement, [this.rangePairs()], this.nodes);
  }
}

function parseSettings(options: RedisSlotsOptions): TableSettings {
  return parseTableOptions(expectOptions('options', options, optionNames), redisSlots);
}

function parseAssignment(input: unknown, index: number): { node: NodeInput; ranges: SlotRange[] } {
  const field = `assignments[${index}]`;
  const { node, slots } = expectOptions(field, input, ['node', 'slots']);
  const { id, weight, zone } = typeof node === 'string' ? { id: node } : parseNode(`${field}.node`, node);
  const ranges = [...expectIterable(`${field}.slots`, slots as Iterable<unknown>)].map((range, place) => {
    const name = `${field}.slots[${place}]`;
    if (!Array.isArray(range) || range.length !== 2) throw new InvalidArgumentError(name, 'a pair of slots', range);
    const firstSlot = expectInteger(`${name}[0]`, range[0], 0, redisSlots - 1);
    return { node: id, firstSlot, endSlot: expectInteger(`${name}[1]`, range[1], firstSlot, redisSlots - 1) + 1 };
  });
  return { node: { id, weight, zone }, ranges };
}

function slotsByWeight(nodes: readonly PlacementNode[]): number[] {
  const weights = nodes.map(({ weight }) => weight);
  return weights.every((weight) => weight === weights[0])
    ? redisCliSlots(nodes.length)
    : apportion(weights, redisSlots);
}

/**
 * Slots of each of `count` masters. As redis-cli reckons in 32-bit floats, the result is rounded to one after each step: the
 * sums may then fall on the other side of a half than exact ones would.
 */
function redisCliSlots(count: number): number[] {
  const { fround } = Math;
  const slotsPerNode = fround(redisSlots / count);
  const counts: number[] = [];
  let first = 0;
  let cursor = 0;
  for (let index = 0; index < count; index++) {
    const rounded = Math.floor(fround(fround(cursor + slotsPerNode) - 1) + 0.5);
    const last = index === count - 1 ? redisSlots - 1 : Math.max(rounded, first);
    counts.push(last + 1 - first);
    first = last + 1;
    cursor = fround(cursor + slotsPerNode);
  }
  return counts;
}
