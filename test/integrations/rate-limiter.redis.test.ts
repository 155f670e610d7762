import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asNodeRedis } from '../../src/adapters/node-redis/facade.ts';
import { type DropIn, dropInKinds, withCopies } from '../support/drop-in-clients.ts';
import { outcomeOf } from '../support/eventually.ts';

type Client = DropIn['client'];

/** The two kinds of client that rate-limiter-flexible knows for Redis. */
const drivers = [
  { driver: 'as a client of ioredis', give: (client: Client) => ({ storeClient: client }) },
  {
    driver: 'as a client of node-redis',
    give: (client: Client) => ({ storeClient: asNodeRedis(client), useRedisPackage: true }),
  },
];

/** How many of the calls were let through, and how many were held back by the limit and not by an error. */
async function tally(calls: readonly Promise<RateLimiterRes>[]) {
  const outcomes = await Promise.all(calls.map(outcomeOf));
  const errors = outcomes.filter(({ error }) => error instanceof Error);
  return {
    allowed: outcomes.filter(({ error }) => error === undefined).length,
    limited: outcomes.filter(({ error }) => error !== undefined).length - errors.length,
    errors: errors.map(({ error }) => String(error)),
  };
}

describe.each([...dropInKinds, withCopies])('rate-limiter-flexible over $title', ({ open, serverCount }) => {
  let dropIn: DropIn;

  beforeAll(async () => {
    dropIn = await open();
    await dropIn.client.ping();
  });

  afterAll(() => dropIn.close());
  beforeEach(() => dropIn.flush());

  describe.each(drivers)('given $driver', ({ give }) => {
    const limiter = (options: object = {}) =>
      new RateLimiterRedis({ ...give(dropIn.client), points: 5, duration: 100, keyPrefix: 'rl', ...options });

    it('counts to the limit, says what is left, and holds back the rest', async () => {
      const limit = limiter();
      expect(await limit.get('ada')).toBeNull();
      for (let used = 1; used <= 5; used++) {
        const result = await limit.consume('ada');
        expect([result.consumedPoints, result.remainingPoints, result.isFirstInDuration]).toEqual([
          used,
          5 - used,
          used === 1,
        ]);
        expect(result.msBeforeNext).toBeGreaterThan(99_000);
      }
      const { error } = await outcomeOf(limit.consume('ada'));
      expect(error).toMatchObject({ consumedPoints: 6, remainingPoints: 0 });
      expect(await limit.get('ada')).toMatchObject({ consumedPoints: 6 });
      expect((await limit.consume('bob', 3)).remainingPoints).toBe(2);
      expect(await dropIn.client.ttl('rl:ada')).toBeGreaterThan(98);
    });

    it('counts 200 calls at once exactly', async () => {
      const limit = limiter({ points: 150 });
      const counts = await tally(Array.from({ length: 200 }, () => limit.consume('ada')));
      expect(counts).toEqual({ allowed: 150, limited: 50, errors: [] });
      expect((await limit.get('ada'))?.consumedPoints).toBe(200);
    });

    it('counts many users at once, over all servers, each exactly', async () => {
      const limit = limiter({ points: 7 });
      const users = Array.from({ length: 60 }, (_, index) => `user-${index}`);
      const counts = await tally(users.flatMap((user) => Array.from({ length: 10 }, () => limit.consume(user))));
      expect(counts).toEqual({ allowed: 420, limited: 180, errors: [] });
      expect((await dropIn.keyCounts()).filter((count) => count > 0).length).toBe(serverCount);
      const consumed = await Promise.all(users.map((user) => limit.get(user)));
      expect(new Set(consumed.map((result) => result?.consumedPoints))).toEqual(new Set([10]));
    });

    it('punishes, rewards, sets, deletes and blocks', async () => {
      const limit = limiter();
      expect((await limit.penalty('ada', 2)).consumedPoints).toBe(2);
      expect((await limit.reward('ada')).consumedPoints).toBe(1);
      expect((await limit.set('ada', 4, 50)).consumedPoints).toBe(4);
      expect(await dropIn.client.ttl('rl:ada')).toBeLessThanOrEqual(50);
      expect((await limit.consume('ada')).remainingPoints).toBe(0);
      expect(await limit.delete('ada')).toBe(true);
      expect(await limit.delete('ada')).toBe(false);
      expect((await limit.consume('ada')).consumedPoints).toBe(1);

      const blocked = await limit.block('ada', 30);
      expect(blocked.msBeforeNext).toBe(30_000);
      const { error } = await outcomeOf(limit.consume('ada'));
      expect((error as RateLimiterRes).msBeforeNext).toBeLessThanOrEqual(30_000);
      // For ever.
      await limit.block('bob', 0);
      expect(await dropIn.client.ttl('rl:bob')).toBe(-1);
      await expect(limit.consume('bob')).rejects.toMatchObject({ remainingPoints: 0 });
    });

    it('blocks for longer whoever goes on', async () => {
      const limit = limiter({ points: 2, blockDuration: 500 });
      const counts = await tally(Array.from({ length: 4 }, () => limit.consume('ada')));
      expect(counts).toEqual({ allowed: 2, limited: 2, errors: [] });
      expect(await dropIn.client.ttl('rl:ada')).toBeGreaterThan(400);
    });

    it('counts without end when the duration is 0', async () => {
      const limit = limiter({ duration: 0 });
      await limit.consume('ada', 2);
      expect((await limit.consume('ada', 2)).consumedPoints).toBe(4);
      expect(await dropIn.client.ttl('rl:ada')).toBe(-1);
    });

    it('counts on after the servers have forgotten its script', async () => {
      const limit = limiter();
      await limit.consume('ada');
      await dropIn.client.script('FLUSH');
      expect((await limit.consume('ada')).consumedPoints).toBe(2);
    });

    it('lets bursts through by a second limit', async () => {
      const bursty = new BurstyRateLimiter(
        limiter({ points: 2, duration: 100 }),
        limiter({ points: 3, duration: 200, keyPrefix: 'burst' }),
      );
      const outcomes = [];
      for (let call = 0; call < 6; call++) outcomes.push((await outcomeOf(bursty.consume('ada'))).error === undefined);
      expect(outcomes).toEqual([true, true, true, true, true, false]);
    });

    it('uses its insurance as long as the client is not ready, and the servers from then on', async () => {
      const client = dropIn.another({ lazyConnect: true });
      const limit = new RateLimiterRedis({
        ...give(client),
        points: 5,
        duration: 100,
        rejectIfRedisNotReady: true,
        insuranceLimiter: new RateLimiterMemory({ points: 1, duration: 100 }),
      });
      expect((await limit.consume('ada')).remainingPoints).toBe(0);
      await expect(limit.consume('ada')).rejects.toMatchObject({ remainingPoints: 0 });
      await client.connect();
      expect((await limit.consume('ada')).remainingPoints).toBe(4);
    });
  });

  it('counts nothing with a client of node-redis without useRedisPackage, which an insurance hides', async () => {
    const limits = { points: 5, duration: 100, keyPrefix: 'rl' };
    const storeClient = asNodeRedis(dropIn.client);
    const { error } = await outcomeOf(async () => {
      await new RateLimiterRedis({ storeClient, ...limits }).consume('ada');
    });
    expect(error).toBeInstanceOf(Error);
    const insured = new RateLimiterRedis({
      ...{ storeClient, ...limits },
      insuranceLimiter: new RateLimiterMemory(limits),
    });
    expect((await insured.consume('ada')).remainingPoints).toBe(4);
    expect(await dropIn.client.exists('rl:ada')).toBe(0);
  });

  it('finds the parts of an ioredis client that it checks for', () => {
    const { client } = dropIn;
    expect(client.status).toBe('ready');
    expect(client.constructor.name).not.toBe('Commander');
    new RateLimiterRedis({ storeClient: client, points: 1, duration: 1 });
    expect(client).toHaveProperty('rlflxIncr', expect.any(Function));
  });
});

const sharded = dropInKinds.filter(({ serverCount }) => serverCount > 1);

describe.each(sharded)('rate-limiter-flexible over $title, one of which is down', ({ open }) => {
  it('fails or insures only the users of that server, and counts the others exactly', async () => {
    const dropIn = await open();
    try {
      const { client, servers } = dropIn;
      await client.ping();
      const limit = new RateLimiterRedis({ storeClient: client, points: 5, duration: 100, keyPrefix: 'rl' });
      const insured = new RateLimiterRedis({
        storeClient: client,
        points: 5,
        duration: 100,
        keyPrefix: 'rl',
        insuranceLimiter: new RateLimiterMemory({ points: 1, duration: 100, keyPrefix: 'rl' }),
      });
      const [down] = servers;
      const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
      const isLost = (user: string) => dropIn.serverOf(`rl:${user}`) === down;
      const lost = users.filter(isLost);
      expect(lost.length).toBeGreaterThan(0);
      await down!.kill();

      const outcomes = await Promise.all(
        users.map(async (user) => ({ user, ...(await outcomeOf(limit.consume(user))) })),
      );
      expect(outcomes.filter(({ error }) => error !== undefined).map(({ user }) => user)).toEqual(lost);
      for (const { error } of outcomes.filter(({ user }) => isLost(user))) {
        expect(['ERR_NODE_UNAVAILABLE', 'ERR_UNKNOWN_OUTCOME']).toContain((error as { code: string }).code);
      }
      // Of the whole client: it still serves the others.
      expect(client.status).toBe('ready');
      for (const user of users) {
        const result = await insured.consume(user);
        expect([result.consumedPoints, result.remainingPoints]).toEqual(isLost(user) ? [1, 0] : [2, 3]);
      }
    } finally {
      await dropIn.close();
    }
  });
});
