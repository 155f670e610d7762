/** Applications that are bundled into one file, as serverless functions are, and run where nothing is installed. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import webpack from 'webpack';
import { Consumer } from '../support/consumer.ts';
import { root } from '../support/doc-examples.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

/** Every way of sending something, all in the turn in which the module was loaded. */
const useBothFaces = `
const url = process.argv[2];
const redis = new ShardedRedis({ nodes: [{ id: 'a', url }], keyPrefix: 'bundle:' });
redis.defineCommand('readTwice', { numberOfKeys: 1, lua: "return { redis.call('GET', KEYS[1]), redis.call('GET', KEYS[1]) }" });
const cache = new ShardedCache({ nodes: [{ id: 'a', backend: new RedisBackend(url, { keyPrefix: 'cache:' }) }] });
const scanned = async () => { const keys = []; for await (const key of redis.scan()) keys.push(key); return keys; };
const calls = {
  set: redis.set('k', 'v'),
  get: redis.get('k'),
  pipeline: redis.pipeline().set('p', 1).get('p').exec(),
  transaction: redis.multi().set('t', 1).get('t').exec(),
  script: redis.readTwice('k'),
  scan: scanned(),
  pop: redis.lpush('l', 'x').then(() => redis.blpop('l', 1)),
  subscribe: redis.subscribe('news'),
  connection: redis.withConnection('k', (client) => client.ping()),
  facade: asNodeRedis(redis).get('k'),
  cacheSet: cache.set('k', { n: 1 }),
  cacheGet: cache.get('k'),
};
Promise.all(Object.entries(calls).map(async ([name, call]) => [name, await call.catch((error) => error.message)]))
  .then((results) => console.log(JSON.stringify(Object.fromEntries(results))))
  .then(() => Promise.all([redis.quit(), cache.close()]));`;

const expectedReplies = {
  set: 'OK',
  get: 'v',
  pipeline: [
    [null, 'OK'],
    [null, '1'],
  ],
  transaction: [
    [null, 'OK'],
    [null, '1'],
  ],
  script: ['v', 'v'],
  scan: expect.any(Array),
  pop: ['bundle:l', 'x'],
  subscribe: 1,
  connection: 'PONG',
  facade: 'v',
  cacheGet: { n: 1 },
};

const imports = `import { asNodeRedis, RedisBackend, ShardedRedis } from 'shardring/redis'; import { ShardedCache } from 'shardring';`;
const requires = `const { asNodeRedis, RedisBackend, ShardedRedis } = require('shardring/redis'); const { ShardedCache } = require('shardring');`;

const useMemory = `
const cache = new ShardedCache({ nodes: [{ id: 'a', backend: new MemoryBackend() }] });
cache.set('k', 1).then(() => cache.get('k')).then((value) => console.log(value)).then(() => cache.close());`;

/** Each makes `output` of `entry`; the extension of the output says which kind of module it is. */
const bundlers: Record<string, (entry: string, output: string) => Promise<unknown>> = {
  'esbuild to ESM': (entry, output) =>
    esbuild({
      ...{ entryPoints: [entry], outfile: output, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' },
      // As esbuild has it for whatever CommonJS is in a bundle of this format, see docs/bundlers.md.
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    }),
  'esbuild to CommonJS': (entry, output) =>
    esbuild({
      ...{ entryPoints: [entry], outfile: output, bundle: true, platform: 'node', format: 'cjs', logLevel: 'silent' },
    }),
  webpack: bundleByWebpack,
  Vite: (entry, output) => bundleByVite(entry, output, true),
  'Vite to one file': (entry, output) => bundleByVite(entry, output, false),
  'Rollup to one file': bundleByRollup,
};

const outputNames: Record<string, string> = {
  'esbuild to ESM': 'main.mjs',
  'esbuild to CommonJS': 'main.cjs',
  webpack: 'main.cjs',
  Vite: 'main.mjs',
  'Vite to one file': 'main.mjs',
  'Rollup to one file': 'main.mjs',
};

async function bundleByWebpack(entry: string, output: string): Promise<void> {
  const compiler = webpack({
    ...{ entry, target: 'node', mode: 'development', devtool: false },
    output: { path: join(output, '..'), filename: 'main.cjs' },
  })!;
  const stats = await promisify(compiler.run.bind(compiler))();
  await promisify(compiler.close.bind(compiler))();
  if (stats!.hasErrors()) throw new Error(stats!.toString({ all: false, errors: true }));
}

async function bundleByVite(entry: string, output: string, codeSplitting: boolean): Promise<void> {
  await vite({
    ...{ configFile: false, logLevel: 'silent', root: join(entry, '..'), ssr: { noExternal: true } },
    build: {
      ...{ ssr: entry, outDir: join(output, '..'), emptyOutDir: false },
      rolldownOptions: { output: { entryFileNames: 'main.mjs', codeSplitting } },
    },
  });
}

async function bundleByRollup(entry: string, output: string): Promise<void> {
  const plugins = ['node-resolve={preferBuiltins:true}', 'commonjs', 'json'].flatMap((plugin) => ['--plugin', plugin]);
  const options = ['--file', output, '--format', 'es', '--inlineDynamicImports', '--silent'];
  const program = join(root, 'node_modules/rollup/dist/bin/rollup');
  await promisify(execFile)(process.execPath, [program, entry, ...options, ...plugins], { cwd: root });
}

describe('a bundled application', () => {
  let redis: RedisServer;
  let outputs: string;
  const folders: string[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    outputs = mkdtempSync(join(tmpdir(), 'shardring-bundles-'));
  });
  afterAll(async () => {
    await redis.stop();
    rmSync(outputs, { recursive: true, force: true });
  });

  /** Bundles the program in a project that is gone when the bundle runs. */
  async function runBundle(
    bundler: string,
    peers: Record<string, string>,
    file: string,
    text: string,
  ): Promise<string> {
    const folder = mkdtempSync(join(outputs, 'run-'));
    folders.push(folder);
    const output = join(folder, outputNames[bundler]!);
    {
      using consumer = new Consumer(peers);
      await bundlers[bundler]!(consumer.write(file, text), output);
    }
    expect(readdirSync(folder)).not.toContain('node_modules');
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [output, redis.url], { timeout: 150_000 });
    expect(stderr).toBe('');
    return stdout;
  }

  it.each(Object.keys(bundlers))('talks to servers from the first call on: %s', async (bundler) => {
    const stdout = await runBundle(bundler, { ioredis: 'ioredis' }, 'main.mjs', imports + useBothFaces);
    expect(JSON.parse(stdout)).toEqual(expectedReplies);
  });

  it.each(['esbuild to ESM', 'Vite', 'Vite to one file', 'Rollup to one file'])(
    'may wait for calls at its top level: %s',
    async (bundler) => {
      // As docs/bundlers.md has it: with Rollup, what is imported dynamically comes after a top level that waits for it.
      const text = `import 'ioredis'; import { ShardedCache } from 'shardring'; import { RedisBackend } from 'shardring/redis';
      const cache = new ShardedCache({ nodes: [{ id: 'a', backend: new RedisBackend(process.argv[2], { keyPrefix: 'top:' }) }] });
      await cache.set('k', 1);
      console.log(await cache.get('k'));
      await cache.close();`;
      expect(await runBundle(bundler, { ioredis: 'ioredis' }, 'main.mjs', text)).toBe('1\n');
    },
  );

  it('that is one file by Rollup says what to do while its top level waits for servers, and reaches them afterwards', async () => {
    const text = `${imports}
    const nodes = [{ id: 'a', url: process.argv[2] }];
    const cache = new ShardedCache({ nodes: [{ id: 'a', backend: new RedisBackend(process.argv[2]) }] });
    const redis = new ShardedRedis({ nodes, lazyConnect: true });
    const calls = [
      () => cache.set('k', 1),
      () => redis.get('k'),
      () => redis.multi().get('k').exec(),
      () => redis.withConnection('k', (client) => client.get('k')),
    ];
    const outcomes = async () => {
      const all = [];
      for (const call of calls) all.push(await call().catch(({ message }) => message));
      return all;
    };
    const early = await outcomes();
    const report = await cache.ready({ timeoutMs: 2_000 }).catch(({ attempts }) => attempts.map(({ error }) => error.message));
    const known = await outcomes();
    setTimeout(async () => {
      console.log(JSON.stringify({ early, report, known, late: await outcomes(), state: await cache.ready({ timeoutMs: 60_000 }).then(() => cache.health().get('a')) }));
      await Promise.all([redis.quit(), cache.close()]);
    });`;
    const stdout = await runBundle('Rollup to one file', { ioredis: 'ioredis' }, 'main.mjs', text);
    const absent = expect.stringMatching(/loads only after its top level has ended.*import 'ioredis'/);
    expect(JSON.parse(stdout)).toEqual({
      early: [absent, absent, absent, absent],
      report: [absent],
      known: [absent, absent, absent, absent],
      late: [null, '1', [[null, '1']], '1'],
      state: 'up',
    });
  });

  it.each(['esbuild to CommonJS', 'webpack'])(
    'of CommonJS modules talks to servers from the first call on: %s',
    async (bundler) => {
      const stdout = await runBundle(bundler, { ioredis: 'ioredis' }, 'main.cjs', requires + useBothFaces);
      expect(JSON.parse(stdout)).toEqual(expectedReplies);
    },
  );

  it.each(Object.keys(bundlers))('needs no ioredis for a cache in memory: %s', async (bundler) => {
    const text = `import { MemoryBackend, ShardedCache } from 'shardring';${useMemory}`;
    expect(await runBundle(bundler, {}, 'main.mjs', text)).toBe('1\n');
  });
});
