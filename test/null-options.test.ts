import { describe, expect, it } from 'vitest';
import { HashRing, MemoryBackend, ShardedCache } from '../src/index.ts';
import { RedisBackend, ShardedRedis } from '../src/redis/index.ts';

const nodes = [{ id: 'a', backend: new MemoryBackend() }];
const servers = [{ id: 'a', url: 'redis://127.0.0.1:1' }];

const makers: readonly [string, (option: object) => unknown][] = [
  ['ShardedCache', (option) => new ShardedCache({ nodes, ...option })],
  ['ShardedCache, in health', (option) => new ShardedCache({ nodes, health: option })],
  ['ShardedRedis', (option) => new ShardedRedis({ nodes: servers, lazyConnect: true, ...option })],
  ['ShardedRedis, in pool', (option) => new ShardedRedis({ nodes: servers, lazyConnect: true, pool: option })],
  ['RedisBackend', (option) => new RedisBackend('redis://127.0.0.1:1', option)],
  ['MemoryBackend', (option) => new MemoryBackend(option)],
  ['HashRing', (option) => HashRing.create([{ id: 'a' }], option)],
];

/** As the error for an unknown option lists them. */
function optionsOf(make: (option: object) => unknown): string[] {
  try {
    make({ misspelt: 1 });
  } catch (error) {
    return /Known options: (.*)\.$/.exec((error as Error).message)![1]!.split(', ');
  }
  throw new Error('A misspelt option was taken.');
}

describe.each(makers)('an option of %s', (_, make) => {
  it('is refused by name if it is null, and not treated as left out', () => {
    const names = optionsOf(make);
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) {
      const refused = expect.objectContaining({
        code: 'ERR_INVALID_ARGUMENT',
        field: expect.stringMatching(new RegExp(`\\b${name}$`)),
      });
      expect(() => make({ [name]: null }), name).toThrow(refused);
    }
  });
});

describe('the options of a call of ShardedCache', () => {
  it('are refused if they are null, and not treated as left out', async () => {
    await using cache = new ShardedCache({ nodes });
    const refused = { code: 'ERR_INVALID_ARGUMENT', field: 'options' };
    await expect(cache.ready(null as never)).rejects.toMatchObject(refused);
    await expect(cache.set('key', 1, null as never)).rejects.toMatchObject(refused);
    const joining = { id: 'b', backend: new MemoryBackend() };
    await expect((async () => cache.addNode(joining, null as never))()).rejects.toMatchObject(refused);
  });
});
