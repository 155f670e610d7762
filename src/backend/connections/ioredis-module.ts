/**
 * ioredis, loaded when `shardring/redis` is, so that it is there when the first backend is made.
 *
 * It is an optional peer dependency: applications that lend clients of their own need not have it, and those that use
 * other backends never load this file. The specifier is written out for bundlers to see.
 */

import type { Redis, RedisOptions } from 'ioredis';
import { MissingDependencyError } from '../../errors.ts';

export type RedisClass = new (options: RedisOptions) => Redis;

const neededFor = 'shardring/redis';
const versions = '>=5.4 <7';

let redisClass: RedisClass | undefined;
let missing: (() => MissingDependencyError) | undefined;

const loading: Promise<void> = import('ioredis').then(
  (module) => {
    // The package is CommonJS: `default` is its exports, or what its own `default` is, as the bundler has it.
    const exports = module.default as unknown as RedisClass & { default?: RedisClass };
    redisClass = exports.default ?? exports;
  },
  (cause: unknown) => {
    missing = () => new MissingDependencyError('ioredis', neededFor, versions, { cause });
    // Said at once: the first call that fails for it may come much later.
    process.emitWarning(missing().message);
  },
);

/**
 * Calls `use` with the class at once if it is loaded, else as soon as it is. If ioredis is not installed, calls `fail`
 * instead.
 */
export function withRedisClass(use: (Redis: RedisClass) => void, fail: (makeError: () => Error) => void): void {
  if (redisClass !== undefined) {
    use(redisClass);
  } else if (missing !== undefined) {
    fail(missing);
  } else {
    void loading.then(() => withRedisClass(use, fail));
  }
}
