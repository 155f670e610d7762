/**
 * ioredis, loaded when `shardring/redis` is, so that it is there when the first node is made; in a bundle a moment later.
 *
 * It is an optional peer dependency: applications that give clients of their own need not have it, and those that use
 * other backends never load this file.
 */

import type { Command, Redis, RedisOptions } from 'ioredis';
import { DependencyLoadingError } from '../../errors/index.ts';
import { OptionalPackage } from '../../runtime/optional-package.ts';

export type RedisClass = (new (
  options: RedisOptions,
) => Redis) & {
  /** Parses arguments, finds keys and decodes replies as ioredis does. */
  readonly Command: typeof Command;
};

let redisClass: RedisClass | undefined;

const ioredis = new OptionalPackage({
  name: 'ioredis',
  neededFor: 'shardring/redis',
  // Since 5.4 'ready' comes after the replies to AUTH and SELECT, see `own-client.ts`.
  versions: '>=5.4 <7',
  accepts: (version) => /^(5\.([4-9]|\d\d)|6)\./.test(version),
  load: () => import('ioredis'),
  onLoaded: (exports) => {
    // ioredis names its class `default` too, and some bundlers give that object for the class.
    redisClass = (exports as { default?: RedisClass }).default ?? (exports as RedisClass);
  },
});

/**
 * Settles, never rejecting, when it is known whether ioredis is there by now. Undefined if that is known for good, as it always is
 * outside of bundles.
 */
export function loadingOfIoredis(): Promise<void> | undefined {
  return ioredis.look();
}

/**
 * Calls `use` with the class at once if it is loaded, else as soon as it is known whether it is there by now. If it is not, calls
 * `fail` instead: in a bundle of one file it may be there when you ask again.
 */
export function withRedisClass(use: (Redis: RedisClass) => void, fail: (makeError: () => Error) => void): void {
  const tell = () => (redisClass === undefined ? fail(ioredis.makeError!) : use(redisClass));
  const loading = redisClass === undefined ? ioredis.look() : undefined;
  if (loading === undefined) tell();
  else void loading.then(tell);
}

/**
 * The class, if it is loaded by now.
 * @throws {MissingDependencyError} It is not installed.
 * @throws {DependencyLoadingError} It is still being loaded.
 */
export function loadedRedisClass(): RedisClass {
  if (redisClass !== undefined) return redisClass;
  void ioredis.look(); // For the next call.
  throw ioredis.makeError?.() ?? new DependencyLoadingError('ioredis');
}
