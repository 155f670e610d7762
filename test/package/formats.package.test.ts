/** What a user gets: the packed package, installed into a project of its own, imported both ways. */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Consumer, manifest } from '../support/consumer.ts';

describe('the packed package', () => {
  let consumer: Consumer;

  beforeAll(() => {
    consumer = new Consumer();
    consumer.write('package.json', '{"name":"consumer","type":"module"}');
  });
  afterAll(() => consumer[Symbol.dispose]());

  const node = (file: string, text: string) => consumer.node(file, text);

  const program = `
    const cache = new ShardedCache({ nodes: ['a', 'b'].map((id) => ({ id, backend: new MemoryBackend() })) });
    cache.set('k', { n: 1 })
      .then(() => cache.get('k'))
      .then((value) => console.log(JSON.stringify(value), [...loaded()].some((name) => /ioredis/.test(name))))
      .then(() => cache.close());`;

  it('holds the built files, the documentation and the examples, and no sources, source maps or tests', () => {
    const files = inject('packed').files.map(({ path }) => path);
    expect(files).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'THIRD-PARTY-LICENSES.md',
        'dist/index.js',
        'dist/index.cjs',
        'dist/cli.js',
      ]),
    );
    const belongs =
      /^(dist\/[\w-]+\.(js|cjs|d\.ts|d\.cts)|(package\.json|README\.md|LICENSE|THIRD-PARTY-LICENSES\.md|CHANGELOG\.md)|docs\/.*|examples\/[\w-]+\.ts|benchmarks\/(README\.md|results\/.*))$/;
    expect(files.filter((file) => !belongs.test(file))).toEqual([]);
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

  it('has classes that bear their own names, in both formats', async () => {
    const entries = Object.keys(manifest.exports).filter((name) => name !== './package.json');
    const specifiers = entries.map((name) => name.replace(/^\./, 'shardring'));
    const check = `
      const wrong = [];
      const isClass = (value) => typeof value === 'function' && /^class\\b/.test(String(value));
      for (const exported of modules) for (const [name, value] of Object.entries(exported)) {
        if (isClass(value) && value.name !== name) wrong.push([name, value.name]);
      }
      console.log(JSON.stringify(wrong));`;
    const esm = `const modules = await Promise.all(${JSON.stringify(specifiers)}.map((name) => import(name)));`;
    const cjs = `const modules = ${JSON.stringify(specifiers)}.map((name) => require(name));`;
    using installed = new Consumer({ ioredis: 'ioredis', 'express-session': 'express-session' });
    expect((await installed.node('names.mjs', esm + check)).stdout).toBe('[]\n');
    expect((await installed.node('names.cjs', cjs + check)).stdout).toBe('[]\n');
  });

  it('has a command that runs', async () => {
    const bin = join('node_modules/shardring', manifest.bin.shardring);
    expect((await consumer.node(bin, undefined, ['--version'])).stdout.trim()).toBe(manifest.version);
    expect((await consumer.node(bin, undefined, ['ring', '--nodes', 'a,b,c'])).stdout).toContain('a');
  });
});
