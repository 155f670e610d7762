import { expect, it, vi } from 'vitest';

const { notFound } = vi.hoisted(() => ({
  notFound: () => Object.assign(new Error("Cannot find module 'ioredis'"), { code: 'MODULE_NOT_FOUND' }),
}));

vi.mock('ioredis', () => {
  throw notFound();
});
vi.mock('node:module', async (importOriginal) => {
  const module = await importOriginal<typeof import('node:module')>();
  const createRequire = (path: string | URL) => {
    const require = module.createRequire(path);
    const withoutIoredis = (name: string) => {
      if (name === 'ioredis') throw notFound();
      return require(name);
    };
    return Object.assign(withoutIoredis, require);
  };
  return { ...module, createRequire };
});

it('a RedisBackend without ioredis says once what to install, and every call says it again', async () => {
  const warnings: string[] = [];
  const emitWarning = vi
    .spyOn(process, 'emitWarning')
    .mockImplementation((warning) => void warnings.push(String(warning)));
  const { RedisBackend } = await import('../../src/redis/index.ts');
  await using one = new RedisBackend('redis://127.0.0.1:1');
  await using other = new RedisBackend('redis://127.0.0.1:2');
  const missing = { code: 'ERR_MISSING_DEPENDENCY', dependency: 'ioredis' };
  await expect(one.get('key', {})).rejects.toMatchObject(missing);
  await expect(one.set('key', Buffer.of(1), {})).rejects.toMatchObject(missing);
  await expect(other.get('key', {})).rejects.toMatchObject(missing);
  await expect(other.withConnection(() => 1)).rejects.toMatchObject(missing);
  emitWarning.mockRestore();
  expect(warnings).toEqual([
    'shardring/redis needs ioredis (>=5.4 <7), which is not installed. Run: npm install ioredis',
  ]);
});

it('a ShardedRedis without ioredis says in every call what to install', async () => {
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const { ShardedRedis } = await import('../../src/redis/index.ts');
  const redis = new ShardedRedis({ nodes: [{ id: 'a', url: 'redis://127.0.0.1:1' }] });
  await expect(redis.set('key', 1)).rejects.toMatchObject({ code: 'ERR_MISSING_DEPENDENCY' });
  await expect(redis.get('key')).rejects.toMatchObject({ code: 'ERR_MISSING_DEPENDENCY' });
  expect(() => redis.nodeFor('key')).toThrow(/npm install ioredis/);
  await redis.quit();
  emitWarning.mockRestore();
});

it('a RedisBackend without ioredis works with a borrowed client', async () => {
  const { RedisBackend } = await import('../../src/redis/index.ts');
  const { Redis } = await import('ioredis5');
  const client = new Redis({ lazyConnect: true, port: 1, retryStrategy: () => null });
  client.on('error', () => undefined);
  await using backend = new RedisBackend(client);
  await expect(backend.get('key')).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE' });
});
