/** Entry `shardring/redis`: what needs ioredis. */

export { asNodeRedis, type IoredisClient, type NodeRedisFacade } from '../adapters/node-redis/facade.ts';
export { MultiErrorReply, type NodeRedisMulti, WatchError } from '../adapters/node-redis/multi.ts';
export type {
  RedisBackendOptions,
  RedisClient,
  RedisNodeOptions,
  RedisPoolOptions,
  RedisTarget,
} from '../backend/connections/options.ts';
export type { WithConnectionOptions } from '../backend/connections/use-options.ts';
export { RedisBackend } from '../backend/redis.ts';
export type { ReadyOptions } from '../health/readiness.ts';
export type { ChannelInput } from './channel.ts';
export type { ShardedRedisStatus } from './connected-nodes.ts';
export type { ElementScan, ScannedElement } from './element-scan.ts';
export type { ShardedRedisNode, ShardedRedisOptions } from './options.ts';
export type { PipelineResults, ShardedPipeline } from './pipeline.ts';
export type { KeyScan } from './scan.ts';
export type { ElementScanOptions, ScanOptions } from './scan-options.ts';
export type { ScanStream, ScanStreamOptions } from './scan-stream.ts';
export type { ScriptDefinition } from './script.ts';
export { ShardedRedis } from './sharded-redis.ts';
export type { ShardedTransaction } from './transaction.ts';
