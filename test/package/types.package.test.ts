/** Types, for the ways in which applications compile. */

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Consumer, root } from '../support/consumer.ts';

const base = {
  ...{ target: 'ES2023', lib: ['ES2023', 'ESNext.Disposable'], strict: true, noEmit: true },
  ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
};

/** As of `nest new` of NestJS 10. TypeScript 6 takes the resolution that comes with it, `node10`, only with `ignoreDeprecations`. */
const nestjs10 = {
  ...base,
  ...{ module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0', target: 'ES2021' },
  ...{ declaration: true, emitDecoratorMetadata: true, experimentalDecorators: true, esModuleInterop: false },
  ...{ allowSyntheticDefaultImports: true, skipLibCheck: true, strict: false, strictNullChecks: false },
};

const imports = `
  import { HashRing, MemoryBackend, planRebalance, ShardedCache } from 'shardring';
  import { ShardedRedis } from 'shardring/redis';
  import { KeyvStore } from 'shardring/keyv';
  import { shardringDriver as bentocacheDriver } from 'shardring/bentocache';
  import { SessionStore } from 'shardring/session';
  import { shardringDriver as unstorageDriver } from 'shardring/unstorage';
  import { describeBackend } from 'shardring/testing';`;

const use = `
  const cache = new ShardedCache<{ n: number }>({ nodes: [{ id: 'a', backend: new MemoryBackend() }] });
  export const cached: Promise<{ n: number } | undefined> = cache.get('k');
  cache.on('nodeDown', ({ node }) => node.toUpperCase());
  const ring = HashRing.create([{ id: 'a' }]);
  export const share: number = planRebalance(ring, ring.withNode({ id: 'b' })).movedShare;
  const redis = new ShardedRedis({ nodes: [{ id: 'a', url: 'redis://127.0.0.1:1' }], lazyConnect: true });
  export const value: Promise<string | null> = redis.get('k');
  value.catch((error) => console.log(error.code));
  export const replies = redis.pipeline().set('k', 1).get('k').exec();
  export const store = new KeyvStore({ client: redis });
  export const driver = bentocacheDriver({ client: redis, prefix: 'app' });
  export const storage = unstorageDriver({ client: redis });
  export const sessions = new SessionStore({ client: redis });
  export const contract = () => describeBackend({ describe() {}, it() {} } as never, {} as never);
  void redis.quit();
  void cache.close();`;

describe('the types of the packed package', () => {
  it.each(['ioredis', 'ioredis5'])(
    'compile for ES modules and CommonJS with %s, and the compiled programs run',
    async (ioredis) => {
      using consumer = new Consumer({ ioredis, 'express-session': 'express-session' });
      for (const extension of ['mts', 'cts']) consumer.write(`main.${extension}`, imports + use);
      const compilerOptions = { ...base, module: 'NodeNext', skipLibCheck: true };
      expect(await consumer.compile({ compilerOptions, files: ['main.mts', 'main.cts'] })).toBe('');
      const javascript = (imports + use).replace(/: Promise<[^=]*(?= =)|<{ n: number }>|: number(?= =)|as never/g, '');
      expect((await consumer.node('main.mjs', javascript)).stdout).toBe('ERR_NODE_UNAVAILABLE\n');
    },
  );

  it.each(['ES2023', 'ES2021'])('compile for %s with their own files checked too', async (target) => {
    using consumer = new Consumer();
    const text = `import { MemoryBackend, ShardedCache } from 'shardring'; import { describeBackend } from 'shardring/testing';
      export const cache = new ShardedCache({ nodes: [{ id: 'a', backend: new MemoryBackend() }] });
      export const contract = () => describeBackend({ describe() {}, it() {} } as never, {} as never);`;
    for (const extension of ['mts', 'cts']) consumer.write(`main.${extension}`, text);
    const lib = target === 'ES2023' ? base.lib : undefined;
    const compilerOptions = { ...base, target, lib, module: 'NodeNext', skipLibCheck: false };
    expect(await consumer.compile({ compilerOptions, files: ['main.mts', 'main.cts'] })).toBe('');
  });

  it('are found by an application of NestJS 10, which knows no exports of packages', async () => {
    using consumer = new Consumer({ ioredis: 'ioredis', 'express-session': 'express-session' });
    consumer.write('main.ts', imports + use);
    expect(await consumer.compile({ compilerOptions: nestjs10, files: ['main.ts'] })).toBe('');
  });
});
