import { afterAll, beforeAll, describe, it } from 'vitest';
import { describeBackend } from '../../src/testing/backend-suite.ts';
import { passTime } from '../support/pass-time.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { connectionKinds, type OpenBackend } from '../support/redis-clients.ts';

let server: RedisServer;
const opened: OpenBackend[] = [];

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await Promise.all(opened.map((one) => one.close()));
  await server.stop();
});

for (const { title, open } of connectionKinds) {
  describeBackend(
    { describe, it },
    {
      name: `RedisBackend with ${title}`,
      async create({ keyPrefix, joinsStore }) {
        const one = open(
          { port: server.port },
          { ...(keyPrefix === undefined ? {} : { keyPrefix }), timeoutMs: 5_000 },
        );
        opened.push(one);
        if (!joinsStore) await one.backend.withConnection((client) => client.flushall());
        return one.backend;
      },
      passTime,
      nowMs: () => Date.now(),
      unsupported: { exactTime: "a server's clock cannot be stopped" },
    },
  );
}
