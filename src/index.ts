export type {
  Backend,
  BackendCapabilities,
  CallOptions,
  EntryFailures,
  SetOptions,
  Value,
  ValueWithExpiry,
} from './backend/backend.ts';
export { MemoryBackend, type MemoryBackendOptions } from './backend/memory.ts';
export { bytesCodec, type Codec, type CodecOption, jsonCodec } from './cache/codecs.ts';
export type { CacheEvents, TopologyChange } from './cache/events.ts';
export type { Explanation } from './cache/explain.ts';
export type { ChangeOptions } from './cache/membership.ts';
export type { CacheNode, HealthOptions, ShardedCacheOptions } from './cache/options.ts';
export type { Rebalance, RebalanceProgress } from './cache/rebalance.ts';
export {
  type GetOrSetOptions,
  type SetCallOptions,
  ShardedCache,
  type SignalOptions,
} from './cache/sharded-cache.ts';
export {
  AllReplicasFailedError,
  type AnyShardringError,
  ClosedError,
  CodecError,
  InvalidArgumentError,
  isShardringError,
  MissingDependencyError,
  type NodeAttempt,
  NodeProtocolError,
  NodeReplyError,
  NodeUnavailableError,
  NoNodesError,
  NotAnIntegerError,
  PartialFailureError,
  type ReplyErrorKind,
  ShardringError,
  type ShardringErrorCode,
  SnapshotError,
  TimeoutError,
  UnknownOutcomeError,
  UnsupportedError,
  ValueTooLargeError,
  WriteConsistencyError,
} from './errors.ts';
export type { NodeHealth } from './health/health-view.ts';
export type { NodeId, NodeInput, PlacementNode } from './placement/node.ts';
export type { Placement, SlottedPlacement } from './placement/placement.ts';
export { HashRing, type HashRingOptions } from './placement/ring/hash-ring.ts';
export { routingKeyOf } from './placement/routing-key.ts';
export type { RingSnapshot } from './placement/snapshot.ts';
export { type Move, type NodeChange, type PlanOptions, planRebalance, type RebalancePlan } from './rebalance/plan.ts';
export type { ConsistencyLevel, WhenDown } from './routing/query-plan.ts';
export type { FormerRing, Topology } from './routing/topology.ts';
export { type Clock, systemClock } from './runtime/clock.ts';
