/**
 * Runs once before the tests of the `redis` project: finds or downloads the server, so that no test file has to.
 *
 * The path reaches the workers in two ways: as `inject('redisServer')`, and as `$REDIS_SERVER`, which `findRedis` reads
 * first. So `startRedis()` needs no import from vitest and works in examples as it does in tests.
 */

import type { TestProject } from 'vitest/node';
import { findRedis } from './find-redis.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of a program that takes redis-server's arguments. */
    redisServer: string;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const path = await findRedis();
  process.env.REDIS_SERVER = path;
  project.provide('redisServer', path);
}
