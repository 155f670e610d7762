import { defineConfig } from 'tsup';

const shared = {
  clean: true,
  sourcemap: true,
  target: 'node20',
  platform: 'node',
} as const;

export default defineConfig([
  {
    ...shared,
    entry: {
      index: 'src/index.ts',
      redis: 'src/redis/index.ts',
      testing: 'src/testing/index.ts',
      keyv: 'src/adapters/keyv.ts',
      bentocache: 'src/adapters/bentocache.ts',
      unstorage: 'src/adapters/unstorage.ts',
      session: 'src/adapters/session.ts',
    },
    format: ['esm', 'cjs'],
    // Without splitting, each CommonJS entry gets its own copy of every class, and `instanceof` fails across entries.
    splitting: true,
    // `import.meta.url` in CommonJS.
    shims: true,
    // tsup 8.5 sets `baseUrl` itself, which TypeScript 6 calls deprecated.
    dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  },
  { ...shared, clean: false, entry: { cli: 'src/cli/main.ts' }, format: ['esm'], splitting: false },
]);
