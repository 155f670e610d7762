import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

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
          // A busy machine may take its time; only a test that hangs is to fail by the clock.
          testTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'redis',
          include: ['test/**/*.redis.test.ts'],
          setupFiles: ['test/support/seed.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          // As above. Longer than `patientMs`, so that what is late is told by its own words.
          testTimeout: 90_000,
          hookTimeout: 90_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'package',
          include: ['test/**/*.package.test.ts'],
          globalSetup: ['test/support/packed-package.ts', 'test/support/global-setup.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
