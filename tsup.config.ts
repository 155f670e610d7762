import { defineConfig, type Options } from 'tsup';

/**
 * esbuild makes `var Ring = class _Ring {…}` of a class that names itself inside, and `_Ring` would be the name in logs and
 * error messages. Inside, the plain name means the same class. (`keepNames` costs a call for every function made.)
 */
const plainClassNames: NonNullable<Options['plugins']>[number] = {
  name: 'plain-class-names',
  renderChunk(code) {
    const names = [...code.matchAll(/\bvar (\w+) = class _\1\b/g)].map(([, name]) => name!);
    return { code: names.reduce((text, name) => text.replace(new RegExp(`\\b_${name}\\b`, 'g'), name), code) };
  },
};

const shared = {
  clean: true,
  target: 'node20',
  platform: 'node',
  plugins: [plainClassNames],
  treeshake: true,
} as const satisfies Options;

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
  {
    ...shared,
    clean: false,
    entry: { cli: 'src/cli/main.ts' },
    format: ['esm'],
    // The demo is a part of its own, loaded when it is asked for. It uses the library as an application does.
    splitting: true,
    external: [/^shardring/],
  },
]);
