import { defineConfig, type Options } from 'tsup';

type Plugin = NonNullable<Options['plugins']>[number];

/**
 * esbuild makes `var Ring = class _Ring {…}` of a class that names itself inside, and `_Ring` would be the name in logs and
 * error messages. Inside, the plain name means the same class. (`keepNames` costs a call for every function made.)
 */
const plainClassNames: Plugin = {
  name: 'plain-class-names',
  renderChunk(code) {
    const names = [...code.matchAll(/\bvar (\w+) = class _\1\b/g)].map(([, name]) => name!);
    return { code: names.reduce((text, name) => text.replace(new RegExp(`\\b_${name}\\b`, 'g'), name), code) };
  },
};

/**
 * Bundlers keep a class that nobody uses if it has a static block or a method named by an expression, as either may do
 * anything. Ours set names, and define `[Symbol.asyncDispose]`.
 */
const droppableClasses: Plugin = {
  name: 'droppable-classes',
  renderChunk(code) {
    const classes = /^var (\w+) = class( (?!extends\b|\{)\w+)?( [\s\S]*?^\});$/gm;
    const wrap = (_: string, name: string, ownName = ` ${name}`, rest: string) =>
      `var ${name} = /* @__PURE__ */ (() => class${ownName}${rest})();`;
    return { code: code.replace(classes, wrap) };
  },
};

const shared = {
  clean: true,
  target: 'node20',
  platform: 'node',
  plugins: [plainClassNames, droppableClasses],
  // Calls that bundlers may drop with what they made.
  pure: ['Object.freeze', 'Symbol'],
  treeshake: true,
} as const satisfies Options;

export default defineConfig([
  {
    ...shared,
    entry: {
      index: 'src/index.ts',
      redis: 'src/redis/index.ts',
      placement: 'src/placement/index.ts',
      compat: 'src/placement/compat/index.ts',
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
