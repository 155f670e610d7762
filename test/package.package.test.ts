/** What a user gets: the packed package, installed into a project of its own, imported both ways. */

import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('the packed package', () => {
  let consumer: string;
  let files: string[];

  beforeAll(() => {
    consumer = mkdtempSync(join(tmpdir(), 'shardring-consumer-'));
    // `npm pack` builds first (prepack).
    const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', consumer], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = packed.toString();
    const [report] = JSON.parse(output.slice(output.indexOf('[\n')));
    files = report.files.map(({ path }: { path: string }) => path);
    const modules = join(consumer, 'node_modules');
    mkdirSync(join(modules, 'shardring'), { recursive: true });
    execFileSync('tar', [
      '-xzf',
      join(consumer, report.filename),
      '-C',
      join(modules, 'shardring'),
      '--strip-components=1',
    ]);
    // Its own dependencies, and nothing else: no ioredis.
    for (const name of Object.keys(manifest.dependencies)) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
    writeFileSync(join(consumer, 'package.json'), '{"name":"consumer","type":"module"}');
  });
  afterAll(() => rmSync(consumer, { recursive: true, force: true }));

  const node = (file: string, text: string) => {
    writeFileSync(join(consumer, file), text);
    return run(process.execPath, [join(consumer, file)], { cwd: consumer });
  };

  /** Fails with what the compiler says. */
  const compile = async (project: string) => {
    const compiled = run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], {
      cwd: consumer,
    });
    await expect(compiled.catch((error) => error.stdout)).resolves.toMatchObject({ stdout: '' });
  };

  const program = `
    const cache = new ShardedCache({ nodes: ['a', 'b'].map((id) => ({ id, backend: new MemoryBackend() })) });
    cache.set('k', { n: 1 })
      .then(() => cache.get('k'))
      .then((value) => console.log(JSON.stringify(value), [...loaded()].some((name) => /ioredis/.test(name))))
      .then(() => cache.close());`;

  it('holds the built files, the licence and the README, and no sources or tests', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'dist/index.js',
        'dist/index.cjs',
        'dist/cli.js',
      ]),
    );
    expect(
      files.filter(
        (file) =>
          !/^(dist\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$|docs\/|benchmarks\/(README\.md$|results\/))/.test(
            file,
          ),
      ),
    ).toEqual([]);
  });

  it('runs as an ES module without loading ioredis', async () => {
    const text = `import { MemoryBackend, ShardedCache } from 'shardring'; import { createRequire } from 'node:module';
      const loaded = () => Object.keys(createRequire(import.meta.url).cache);${program}`;
    expect((await node('main.mjs', text)).stdout).toBe('{"n":1} false\n');
  });

  it('runs as CommonJS without loading ioredis', async () => {
    const text = `const { MemoryBackend, ShardedCache } = require('shardring'); const loaded = () => Object.keys(require.cache);${program}`;
    expect((await node('main.cjs', text)).stdout).toBe('{"n":1} false\n');
  });

  it.each(['mjs', 'cjs'])(
    'says what to install when shardring/redis is imported without ioredis (%s)',
    async (extension) => {
      const load =
        extension === 'mjs'
          ? "const { RedisBackend } = await import('shardring/redis');"
          : "const { RedisBackend } = require('shardring/redis');";
      const text = `${load} new RedisBackend('redis://127.0.0.1:1').get('k', {}).catch((error) => console.log(error.code, error.message));`;
      const { stdout, stderr } = await node(`redis.${extension}`, text);
      expect(stderr).toContain('npm install ioredis');
      expect(stdout).toContain('ERR_MISSING_DEPENDENCY');
      expect(stdout).toContain('npm install ioredis');
    },
  );

  it('has one copy of each class in all entries, in both formats', async () => {
    const check =
      'console.log(testing.FaultyBackend !== undefined, isShardringError(error), error instanceof ClosedError);';
    const body =
      'const backend = new testing.FaultyBackend(new MemoryBackend()); const error = await backend.close().then(() => backend.get("k", {})).catch((error) => error);';
    const esm = `import { ClosedError, isShardringError, MemoryBackend } from 'shardring'; import * as testing from 'shardring/testing'; ${body}${check}`;
    const cjs = `const { ClosedError, isShardringError, MemoryBackend } = require('shardring'); const testing = require('shardring/testing'); (async () => { ${body}${check} })();`;
    expect((await node('copies.mjs', esm)).stdout).toBe('true true true\n');
    expect((await node('copies.cjs', cjs)).stdout).toBe('true true true\n');
  });

  it.each(['ioredis', 'ioredis5'])(
    'has types of shardring/redis and of the adapters that compile with %s',
    async (version) => {
      const modules = join(consumer, 'node_modules');
      const links = { ioredis: version, 'express-session': 'express-session' };
      for (const [name, target] of Object.entries(links))
        symlinkSync(join(root, 'node_modules', target), join(modules, name));
      try {
        const use = `
          const redis = new ShardedRedis({ nodes: [{ id: 'a', url: 'redis://127.0.0.1:1' }], lazyConnect: true });
          export const value: Promise<string | null> = redis.get('k');
          value.catch((error) => console.log(error.code));
          export const replies = redis.pipeline().set('k', 1).get('k').exec();
          export const store = new KeyvStore({ client: redis });
          export const driver = bentocacheDriver({ client: redis, prefix: 'app' });
          export const storage = unstorageDriver({ client: redis });
          export const sessions = new SessionStore({ client: redis });
          void redis.quit();`;
        const imports = `import { ShardedRedis } from 'shardring/redis'; import { KeyvStore } from 'shardring/keyv';
          import { shardringDriver as bentocacheDriver } from 'shardring/bentocache'; import { SessionStore } from 'shardring/session';
          import { shardringDriver as unstorageDriver } from 'shardring/unstorage';`;
        for (const extension of ['mts', 'cts']) writeFileSync(join(consumer, `redis.${extension}`), imports + use);
        const compilerOptions = {
          ...{ module: 'NodeNext', target: 'ES2023', lib: ['ES2023', 'ESNext.Disposable'], strict: true },
          ...{ noEmit: true, skipLibCheck: true, types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
        };
        const project = join(consumer, `tsconfig.${version}.json`);
        writeFileSync(project, JSON.stringify({ compilerOptions, files: ['redis.mts', 'redis.cts'] }));
        await compile(project);
        // And they run: what was compiled away are only types.
        const { stdout } = await node('adapters.mjs', imports + use.replaceAll(': Promise<string | null>', ''));
        expect(stdout).toBe('ERR_NODE_UNAVAILABLE\n');
      } finally {
        for (const name of Object.keys(links)) rmSync(join(modules, name));
      }
    },
  );

  it('has types for both formats that a strict consumer compiles', async () => {
    const use = `
      const cache = new ShardedCache<{ n: number }>({ nodes: [{ id: 'a', backend: new MemoryBackend() }] });
      export const value: Promise<{ n: number } | undefined> = cache.get('k');
      cache.on('nodeDown', ({ node }) => node.toUpperCase());
      const ring = HashRing.create([{ id: 'a' }]);
      export const share: number = planRebalance(ring, ring.withNode({ id: 'b' })).movedShare;
      describeBackend({ describe() {}, it() {} } as never, {} as never);`;
    const imports = `import { HashRing, MemoryBackend, planRebalance, ShardedCache } from 'shardring'; import { describeBackend } from 'shardring/testing';`;
    writeFileSync(join(consumer, 'types.mts'), imports + use);
    writeFileSync(join(consumer, 'types.cts'), imports + use);
    writeFileSync(
      join(consumer, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'NodeNext',
          target: 'ES2023',
          lib: ['ES2023', 'ESNext.Disposable'],
          strict: true,
          noEmit: true,
          skipLibCheck: false,
          types: ['node'],
          typeRoots: [join(root, 'node_modules/@types')],
        },
        files: ['types.mts', 'types.cts'],
      }),
    );
    await compile(consumer);
  });

  it('has a command that runs', async () => {
    const bin = join(consumer, 'node_modules/shardring', manifest.bin.shardring);
    expect(existsSync(bin)).toBe(true);
    expect((await run(process.execPath, [bin, '--version'])).stdout.trim()).toBe(manifest.version);
    expect((await run(process.execPath, [bin, 'ring', '--nodes', 'a,b,c'])).stdout).toContain('a');
  });
});
