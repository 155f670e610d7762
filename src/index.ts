export type {
  Backend,
  BackendPorts,
  CallOptions,
  Clearing,
  Conditional,
  Counting,
  EntryFailures,
  Expiring,
  Listing,
  ManyKeys,
  SetOptions,
  Value,
  ValueWithExpiry,
} from './backend/backend.ts';
export { MemoryBackend, type MemoryBackendOptions } from './backend/memory.ts';
export type { ServerReport } from './backend/server-report.ts';
export { bytesCodec, type Codec, type CodecOption, jsonCodec } from './cache/codecs.ts';
export type { CacheEvents } from './cache/events.ts';
export type { CacheNode, ShardedCacheOptions } from './cache/options.ts';
export {
  type GetOrSetOptions,
  type SetCallOptions,
  ShardedCache,
  type SignalOptions,
} from './cache/sharded-cache.ts';
export type { ChangeOptions } from './cluster/change-options.ts';
export type { TopologyChange } from './cluster/events.ts';
export type { Explanation } from './cluster/explain.ts';
export type { HealthOptions, RoutingOptions } from './cluster/options.ts';
export type { PlacementMaker } from './cluster/parse-placement.ts';
export type { Rebalance, RebalanceProgress } from './cluster/rebalance.ts';
export {
  AllReplicasFailedError,
  type AnyShardringError,
  ChangeInProgressError,
  ClosedError,
  CodecError,
  CommandRefusedError,
  CredentialsError,
  CrossNodeError,
  DependencyLoadingError,
  InvalidArgumentError,
  isShardringError,
  LoadCycleError,
  LoadTimeoutError,
  MissingDependencyError,
  type NodeAttempt,
  NodeProtocolError,
  NodeReplyError,
  NodesChangedError,
  NodeUnavailableError,
  NoNodesError,
  NotAnIntegerError,
  NotReadyError,
  PartialFailureError,
  type ReplyErrorKind,
  type ServerProblem,
  ShardringError,
  type ShardringErrorCode,
  SnapshotError,
  TimeoutError,
  UnknownOutcomeError,
  UnsupportedError,
  ValueTooLargeError,
  WriteConsistencyError,
  WrongServerError,
} from './errors/index.ts';
export type { NodeHealth, NodeReport, NodeTraffic } from './health/health-view.ts';
export type { ReadyOptions } from './health/readiness.ts';
export { type Balance, balanceOf, type NodeBalance, type RingOutlook, type Spread } from './placement/balance.ts';
export { placementFromSnapshot } from './placement/compat/restore.ts';
export type { KeyPlacement, PlacedNode } from './placement/explain.ts';
export {
  HashRanges,
  type HashRangesOptions,
  type HashRangesSnapshot,
  type SlotRange,
} from './placement/hash-ranges/hash-ranges.ts';
export { jumpHash } from './placement/jump/jump-hash.ts';
export { JumpTable, type JumpTableOptions, type JumpTableSnapshot } from './placement/jump/jump-table.ts';
export { Maglev, type MaglevOptions, type MaglevSnapshot } from './placement/maglev/maglev.ts';
export type { NodeId, NodeInput, PlacementNode } from './placement/node.ts';
export type {
  ArcPlacement,
  Arcs,
  Placement,
  SlotChanges,
  SlotRuns,
  SlottedPlacement,
} from './placement/placement.ts';
export {
  type KeyRange,
  RangeSharding,
  type RangeShardingOptions,
  type RangeSnapshot,
  type RangeSplit,
} from './placement/ranges/range-sharding.ts';
export { Rendezvous, type RendezvousOptions, type RendezvousSnapshot } from './placement/rendezvous/rendezvous.ts';
export {
  RendezvousTable,
  type RendezvousTableOptions,
  type RendezvousTableSnapshot,
} from './placement/rendezvous/rendezvous-table.ts';
export type { RestoreOptions } from './placement/restore.ts';
export {
  BoundedLoadRing,
  type BoundedLoadRingOptions,
  type BoundedLoadSnapshot,
  type Loads,
} from './placement/ring/bounded-load-ring.ts';
export { HashRing, type HashRingOptions, type RingSnapshot } from './placement/ring/hash-ring.ts';
export type { RingBalance } from './placement/ring/ring-balance.ts';
export { routingKeyOf } from './placement/routing-key.ts';
export type { PlacementSnapshot } from './placement/snapshot.ts';
export { type TableOptions, TablePlacement } from './placement/table/table-placement.ts';
export { type Move, type NodeChange, type PlanOptions, planRebalance, type RebalancePlan } from './rebalance/plan.ts';
export type { ConsistencyLevel, WhenDown } from './routing/query-plan.ts';
export { type Clock, systemClock } from './runtime/clock.ts';
export type { NodeCall } from './telemetry/channels.ts';
export type { Phase, Topology } from './topology/topology.ts';
