/** Entry `shardring/redis`: what needs ioredis. */

export { asNodeRedis, type IoredisClient, type NodeRedisFacade } from '../adapters/node-redis/facade.ts';
export { MultiErrorReply, type NodeRedisMulti, WatchError } from '../adapters/node-redis/multi.ts';
export type { ReadyOptions } from '../health/readiness.ts';
export type {
  RedisBackendOptions,
  RedisClient,
  RedisNodeOptions,
  RedisPoolOptions,
  RedisTarget,
  WithConnectionOptions,
} from '../server/index.ts';
export { RedisBackend } from '../server/index.ts';
export type { ShardedRedisStatus } from './client-life.ts';
export type { RedisChangeOptions, ShardedRedisNode, ShardedRedisOptions } from './options.ts';
export type { PipelineResults, ShardedPipeline } from './pipeline.ts';
export type { ChannelInput } from './pubsub/channel.ts';
export type { ElementScan, ScannedElement } from './scans/element-scan.ts';
export type { KeyScan } from './scans/scan.ts';
export type { ElementScanOptions, ScanOptions } from './scans/scan-options.ts';
export type { ScanStream, ScanStreamOptions } from './scans/scan-stream.ts';
export type { ScriptDefinition } from './script.ts';
export { ShardedRedis } from './sharded-redis.ts';
export type { ShardedTransaction } from './transaction.ts';
