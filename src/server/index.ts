/** One Redis server, as `redis/` uses it: the door to this room. */

export { RedisBackend } from './backend/redis-backend.ts';
export { pageAt, type ScannedServer, type ScanPosition, scanStart } from './backend/scan-position.ts';
export { ioredisOptionNames } from './ioredis-options.ts';
export type { UseTime } from './lending/dedicated.ts';
export { parseUseOptions, type WithConnectionOptions } from './lending/use-options.ts';
export { type Client, type CommandArgument, commandClassOf } from './link/client.ts';
export { errorOf, type Failure, isReplyError } from './link/failure.ts';
export { Heartbeat } from './link/heartbeat.ts';
export { loadedRedisClass, loadingOfIoredis } from './link/ioredis-module.ts';
export { Link, type ServerCheck } from './link/link.ts';
export { defaultConnectTimeoutMs, sharedClientOptions } from './link/own-client.ts';
export { guardQueue, guardSubscriber } from './link/parser-guard.ts';
export { isOfServer } from './link/refusals.ts';
export { limitReplies } from './link/reply-limit.ts';
export { cleanError } from './link/server-text.ts';
export { signsOf } from './link/signs-of-life.ts';
export {
  type ParsedConnectionOptions,
  parseConnectionOptions,
  type RedisBackendOptions,
  type RedisClient,
  type RedisNodeOptions,
  type RedisPoolOptions,
  type RedisTarget,
  type Transport,
} from './options.ts';
export { CallLimits, type CallObserver, type Changes, type CommandSpec } from './sending/call.ts';
export { chunks } from './sending/chunks.ts';
export { decodeKey, encodeKey } from './sending/key-bytes.ts';
export { mayReadReplica } from './sending/replica-reads.ts';
export { checkArray, type ReplyCheck, replyCheckOf, UnexpectedReplyError } from './sending/reply-shape.ts';
export { RedisServer } from './server.ts';
export { parseTarget, type Target } from './target.ts';
