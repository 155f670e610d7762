import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src');

/** Rooms of src and the rooms each may import from; `errors` and `runtime` are open to everyone. */
const mayImport: Record<string, readonly string[]> = {
  errors: [],
  runtime: [],
  hash: [],
  placement: ['hash'],
  // The placements of other systems: an entry of their own, which nothing but the entries may bring.
  'placement/compat': ['placement', 'hash'],
  rebalance: ['placement'],
  backend: [],
  // One Redis server: it knows no topology, no routing, and no other server.
  server: ['backend'],
  health: ['backend'],
  // For who looks on: it knows nobody.
  telemetry: [],
  // Where a key lives: it knows no nodes and no health, as where is not whether.
  topology: ['placement'],
  // The door to a node, and what is asked there: they know no routes. Of health they know who is told of calls.
  nodes: ['placement', 'backend', 'health', 'telemetry'],
  routing: ['placement', 'topology', 'health', 'backend', 'nodes'],
  // What both faces stand on: it knows neither of them.
  cluster: ['placement', 'rebalance', 'topology', 'routing', 'health', 'backend', 'nodes'],
  cache: ['cluster', 'placement', 'topology', 'routing', 'health', 'backend', 'nodes'],
  redis: ['cluster', 'placement', 'topology', 'routing', 'health', 'backend', 'nodes', 'server'],
  // For other libraries: what they need of a client of Redis, by its shape.
  adapters: [],
  cli: ['placement', 'rebalance'],
  testing: ['backend', 'placement'],
  // The entries: named re-exports and nothing else.
  'redis/index': ['redis', 'server', 'health', 'adapters'],
  'placement/index': ['placement', 'rebalance'],
  index: [
    'placement',
    'placement/compat',
    'rebalance',
    'topology',
    'routing',
    'health',
    'backend',
    'cluster',
    'cache',
    'telemetry',
  ],
};

/** Files that may know a package; every other import must be relative or of Node. */
const mayUsePackage: Record<string, RegExp> = {
  ioredis: /^(server|redis)\//,
  'generic-pool': /^server\/lending\//,
  '@ioredis/commands': /^(redis\/|server\/lending\/session-commands\.ts)/,
  keyv: /^adapters\/keyv\.ts$/,
  bentocache: /^adapters\/bentocache\.ts$/,
  unstorage: /^adapters\/unstorage\.ts$/,
  'express-session': /^adapters\/session/,
};

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Text without comments, so that examples in them do not count. */
  readonly code: string;
  readonly imports: readonly { target: string; typeOnly: boolean }[];
}

/** @param base  What the paths are relative to. */
const filesIn = (folder: string, base: string): SourceFile[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const text = readFileSync(file, 'utf8');
      const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
      const statements = code.matchAll(
        /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/g,
      );
      const dynamic = [...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)].map((match) => ({
        target: match[1]!,
        typeOnly: false,
      }));
      const imports = [...statements].map((match) => ({ target: match[2]!, typeOnly: match[1] !== undefined }));
      // The CLI reads its version from package.json and brings the demo, which are no rooms of src.
      const outside = ['../../package.json', '../../examples/demo/demo.ts'];
      const modules = [...imports, ...dynamic].filter(({ target }) => !outside.includes(target));
      return { path: relative(base, file), text, code, imports: modules };
    });

const files = filesIn(source, source);

const roomOf = (path: string) => {
  const within = /^(redis\/index|placement\/index|placement\/compat(?=\/))/.exec(path);
  return within?.[0] ?? path.split('/')[0]!.replace(/\.ts$/, '');
};

/** The file that a relative import names. */
const targetOf = (file: SourceFile, target: string, base = source) =>
  relative(base, resolve(dirname(join(base, file.path)), target));

describe('the structure of src', () => {
  it('has only rooms that this test knows', () => {
    expect(new Set(files.map(({ path }) => roomOf(path)))).toEqual(new Set(Object.keys(mayImport)));
  });

  it('imports only in the directions that the design allows', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter(({ target }) => target.startsWith('.'))
        .map(({ target }) => targetOf(file, target))
        .filter((target) => {
          const [from, to] = [roomOf(file.path), roomOf(target)];
          return from !== to && to !== 'errors' && to !== 'runtime' && !mayImport[from]!.includes(to);
        })
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps placement apart from health, and cache apart from redis', () => {
    for (const [from, to] of [
      ['placement', 'health'],
      ['cache', 'redis'],
      ['redis', 'cache'],
    ] as const) {
      expect(mayImport[from]).not.toContain(to);
    }
  });

  it('enters the server room only by its door', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter(({ target }) => target.startsWith('.') && roomOf(file.path) !== 'server')
        .map(({ target }) => targetOf(file, target))
        .filter((target) => roomOf(target) === 'server' && target !== 'server/index.ts')
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('knows packages only where the design says', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter(({ target }) => !target.startsWith('.') && !target.startsWith('node:'))
        .filter(({ target }) => !(mayUsePackage[target]?.test(file.path) ?? false))
        .map(({ target }) => `${file.path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('takes clocks, timers and randomness from runtime alone', () => {
    const direct = /\bDate\.now\(|\bperformance\.now\(|\bMath\.random\(|\bsetTimeout\(|\bsetInterval\(/;
    const wrong = files
      .filter(({ path, code }) => roomOf(path) !== 'runtime' && direct.test(code))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  it('never combines signals by AbortSignal.any, however it is written', () => {
    // See lint/no-abort-signal-any.grit, which knows the usual way of writing it.
    const combines =
      /\bAbortSignal\s*(\?\.|\.)\s*any\b|\bAbortSignal\s*(\?\.)?\[|=\s*(globalThis\s*\.\s*)?AbortSignal\b(?!\s*[.|])/;
    expect(files.filter(({ code }) => combines.test(code)).map(({ path }) => path)).toEqual([]);
  });

  it('keeps pure rooms pure: no I/O and no await', () => {
    const pure = files.filter(({ path }) =>
      /^(errors\/|placement\/|rebalance\/(diff|plan)\.ts|health\/detector\.ts|topology\/|routing\/query-plan\.ts|cli\/draw\/)/.test(
        path,
      ),
    );
    expect(pure.length).toBeGreaterThan(10);
    for (const { path, code, imports } of pure) {
      expect(/\bawait\b|\basync\b/.test(code), `${path} awaits`).toBe(false);
      expect(
        imports.filter(({ target }) => target.startsWith('node:')).map(({ target }) => `${path} ${target}`),
      ).toEqual([]);
    }
  });

  it('has no file of more than 400 lines', () => {
    const long = files.filter(({ text }) => text.split('\n').length > 401);
    expect(long.map(({ path }) => path)).toEqual([]);
  });
});

describe('every file of this repository', () => {
  it('is in no cycle of imports, those of types and those at run time included', () => {
    const everything = ['src', 'test', 'benchmarks', 'examples', 'scripts'].flatMap((folder) =>
      filesIn(join(root, folder), root),
    );
    const importsOf = new Map(
      everything.map((file) => {
        const relativeImports = file.imports.filter(({ target }) => target.startsWith('.'));
        return [file.path, relativeImports.map(({ target }) => targetOf(file, target, root))];
      }),
    );
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) throw new Error(`a cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}`);
      if (done.has(path)) return;
      for (const next of importsOf.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of importsOf.keys()) visit(path, []);
  });
});
