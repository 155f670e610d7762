/** Entry "shardring/placement": where keys belong, and what a change moves. Runs in browsers too. */

export {
  InvalidArgumentError,
  isShardringError,
  NoNodesError,
  ShardringError,
  type ShardringErrorCode,
  SnapshotError,
} from '../errors/index.ts';
export { type Move, type NodeChange, type PlanOptions, planRebalance, type RebalancePlan } from '../rebalance/plan.ts';
export { type Balance, balanceOf, type NodeBalance, type RingOutlook, type Spread } from './balance.ts';
export type { KeyPlacement, PlacedNode } from './explain.ts';
export {
  HashRanges,
  type HashRangesOptions,
  type HashRangesSnapshot,
  type SlotRange,
} from './hash-ranges/hash-ranges.ts';
export { jumpHash } from './jump/jump-hash.ts';
export { JumpTable, type JumpTableOptions, type JumpTableSnapshot } from './jump/jump-table.ts';
export { Maglev, type MaglevOptions, type MaglevSnapshot } from './maglev/maglev.ts';
export type { NodeId, NodeInput, PlacementNode } from './node.ts';
export type {
  ArcPlacement,
  Arcs,
  Placement,
  SlotChanges,
  SlotRuns,
  SlottedPlacement,
} from './placement.ts';
export {
  type KeyRange,
  RangeSharding,
  type RangeShardingOptions,
  type RangeSnapshot,
  type RangeSplit,
} from './ranges/range-sharding.ts';
export { Rendezvous, type RendezvousOptions, type RendezvousSnapshot } from './rendezvous/rendezvous.ts';
export {
  RendezvousTable,
  type RendezvousTableOptions,
  type RendezvousTableSnapshot,
} from './rendezvous/rendezvous-table.ts';
export { placementFromSnapshot, type RestoreOptions } from './restore.ts';
export {
  BoundedLoadRing,
  type BoundedLoadRingOptions,
  type BoundedLoadSnapshot,
  type Loads,
} from './ring/bounded-load-ring.ts';
export { HashRing, type HashRingOptions, type RingSnapshot } from './ring/hash-ring.ts';
export type { RingBalance } from './ring/ring-balance.ts';
export { routingKeyOf } from './routing-key.ts';
export type { PlacementSnapshot } from './snapshot.ts';
export { type TableOptions, TablePlacement } from './table/table-placement.ts';
