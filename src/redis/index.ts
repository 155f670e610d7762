/** Entry `shardring/redis`: what needs ioredis. */

export type {
  RedisBackendOptions,
  RedisClient,
  RedisPoolOptions,
  RedisTarget,
} from '../backend/connections/options.ts';
export { RedisBackend } from '../backend/redis.ts';
