import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * For a test or a hook. A busy machine may take its time; only what hangs is to fail by the clock, and what waits for something
 * special (`patientMs`, a program of its own) says so earlier, in its own words.
 */
const mostMs = 180_000;

// The same names that an installed package has, answered from the sources.
const alias = [
  { find: /^shardring$/, replacement: source('./src/index.ts') },
  { find: /^shardring\/redis$/, replacement: source('./src/redis/index.ts') },
  { find: /^shardring\/placement$/, replacement: source('./src/placement/index.ts') },
  { find: /^shardring\/compat$/, replacement: source('./src/placement/compat/index.ts') },
  { find: /^shardring\/testing$/, replacement: source('./src/testing/index.ts') },
  { find: /^shardring\/(keyv|bentocache|unstorage|session)$/, replacement: source('./src/adapters/$1.ts') },
];

// Tests that need a server end in `.redis.test.ts`, those that need a build in `.package.test.ts`.
export default defineConfig({
  test: {
    // By default all cores but one; most tests with servers wait more than they compute.
    maxWorkers: 2,
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          setupFiles: ['test/support/seed.ts'],
          exclude: ['test/**/*.redis.test.ts', 'test/**/*.package.test.ts'],
          testTimeout: mostMs,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'redis',
          include: ['test/**/*.redis.test.ts'],
          setupFiles: ['test/support/seed.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: mostMs,
          hookTimeout: mostMs,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'package',
          include: ['test/**/*.package.test.ts'],
          globalSetup: ['test/support/packed-package.ts', 'test/support/global-setup.ts'],
          testTimeout: mostMs,
          hookTimeout: mostMs,
        },
      },
    ],
  },
});
