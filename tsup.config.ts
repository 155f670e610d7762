import { parseAst } from 'rollup/parseAst';
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
 * Bundlers keep a value at the top of a module, used or not, if making it may do anything: a call, a class with a static
 * block, even `2 ** 16`. Ours do nothing but make the value, and what is made in a call marked as pure may be dropped.
 */
const droppableValues: Plugin = {
  name: 'droppable-values',
  renderChunk(code) {
    if (this.format !== 'esm') return;
    const declared = parseAst(code).body.flatMap((node) =>
      node.type === 'VariableDeclaration' ? node.declarations : [],
    );
    const parts: string[] = [];
    let end = 0;
    for (const { id, init } of declared) {
      if (id.type !== 'Identifier' || !init || droppableKinds.has(init.type)) continue;
      const place = init as typeof init & { start: number; end: number };
      const text = code.slice(place.start, place.end);
      // A class has its name from the variable that it is given to.
      const value = init.type === 'ClassExpression' && !init.id ? text.replace('class', `class ${id.name}`) : text;
      parts.push(code.slice(end, place.start), `/* @__PURE__ */ (() => (${value}))()`);
      end = place.end;
    }
    return { code: parts.join('') + code.slice(end) };
  },
};

const droppableKinds: ReadonlySet<string> = new Set([
  'ArrowFunctionExpression',
  'FunctionExpression',
  'Identifier',
  'Literal',
]);

const shared = {
  clean: true,
  target: 'node20',
  platform: 'node',
  plugins: [plainClassNames, droppableValues],
  treeshake: true,
  // Minifiers know this name to be `1 / 0`, and keep the property.
  define: { 'Number.POSITIVE_INFINITY': 'Infinity' },
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
