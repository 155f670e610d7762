/**
 * ioredis, loaded when `shardring/redis` is, so that it is there when the first node is made.
 *
 * It is an optional peer dependency: applications that lend clients of their own need not have it, and those that use
 * other backends never load this file. Loaded at once where it is installed, as a `ShardedRedis` hands out clients
 * before anything is awaited. In a bundle nothing is installed; there the import below, whose specifier is written out
 * for bundlers to see, brings it a moment later.
 */

import { createRequire } from 'node:module';
import type { Command, Redis, RedisOptions } from 'ioredis';
import { MissingDependencyError } from '../../errors/index.ts';

export type RedisClass = (new (
  options: RedisOptions,
) => Redis) & {
  /** Parses arguments, finds keys and decodes replies as ioredis does. */
  readonly Command: typeof Command;
};

const neededFor = 'shardring/redis';
const versions = '>=5.4 <7';

let redisClass: RedisClass | undefined = loadInstalled();
let missing: (() => MissingDependencyError) | undefined;

const loading: Promise<void> =
  redisClass !== undefined
    ? Promise.resolve()
    : import('ioredis').then(
        (module) => {
          redisClass = classOf(module.default);
        },
        (cause: unknown) => {
          missing = () => new MissingDependencyError('ioredis', neededFor, versions, { cause });
          // Said at once: the first call that fails for it may come much later.
          process.emitWarning(missing().message);
        },
      );

/** The package is CommonJS: what is loaded is its exports, or what its own `default` is, as the bundler has it. */
function classOf(loaded: unknown): RedisClass {
  const exports = loaded as RedisClass & { default?: RedisClass };
  return exports.default ?? exports;
}

function loadInstalled(): RedisClass | undefined {
  try {
    return classOf(createRequire(import.meta.url)('ioredis'));
  } catch {
    return undefined; // The import says why.
  }
}

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

/** The class, if it is loaded by now. @throws {MissingDependencyError} It is not. */
export function loadedRedisClass(): RedisClass {
  if (redisClass !== undefined) return redisClass;
  throw missing?.() ?? new MissingDependencyError('ioredis', neededFor, versions);
}
