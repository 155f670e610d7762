/** Entry "shardring/compat": the placements of other systems, which give the very same node for the very same key. */

export { GoRedisRing } from './go-redis.ts';
export type { LibmemcachedOptions } from './libmemcached.ts';
export type { NpmHashringOptions } from './npm-hashring.ts';
export { PointRing } from './point-ring.ts';
export {
  type RedisSlotAssignment,
  RedisSlots,
  type RedisSlotsOptions,
  type RedisSlotsSnapshot,
} from './redis-slots.ts';
export { placementFromSnapshot } from './restore.ts';
export { goRedis, ketama, libmemcached, npmHashring, twemproxy } from './rings.ts';
export type { TwemproxyOptions } from './twemproxy.ts';
