import Bull from 'bull';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';
import { eventually } from '../support/eventually.ts';

const prefix = '{queue}';

// As with BullMQ, a queue lives on one node and gets that node's client.
describe.each(dropInKinds)('Bull 4 over $title', ({ open }) => {
  let dropIn: DropIn;
  let queue: Bull.Queue<{ index: number }>;
  let clients: Redis[];

  beforeAll(async () => {
    dropIn = await open();
    await dropIn.client.ping();
  });

  afterAll(() => dropIn.close());

  beforeEach(async () => {
    await dropIn.flush();
    clients = [];
    queue = new Bull('jobs', {
      prefix,
      // Bull refuses clients with other values of these two options.
      createClient: () => {
        const options = { maxRetriesPerRequest: null, enableReadyCheck: false };
        const client: Redis = dropIn.nodeFor(prefix).duplicate(options);
        clients.push(client);
        return client as unknown as ReturnType<NonNullable<Bull.QueueOptions['createClient']>>;
      },
    });
  });

  afterEach(async () => {
    await queue.close();
    // It leaves one open that waits for jobs and connects anew while the queue closes.
    for (const client of clients) client.disconnect();
  });

  it('runs every job once, on the node of the tag', async () => {
    const runs: number[] = [];
    const ended = queue.process(5, async ({ data }) => void runs.push(data.index));
    await queue.addBulk(Array.from({ length: 50 }, (_, index) => ({ data: { index } })));
    await eventually(async () => (await queue.getCompletedCount()) === 50);
    expect(runs.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect((await dropIn.keyCounts()).filter((count) => count > 0).length).toBe(1);
    await queue.close();
    await ended;
  });

  it('runs delayed jobs when they are due and not before, and retries failed ones', async () => {
    const runs: number[] = [];
    const early: unknown[] = [];
    void queue.process(async ({ data, attemptsMade, timestamp, opts }) => {
      runs.push(data.index);
      if (Date.now() < timestamp + (opts.delay ?? 0)) early.push(data.index);
      if (data.index === 1 && attemptsMade === 0) throw new Error('the first try fails');
    });
    await queue.add({ index: 2 }, { delay: 300 });
    await queue.add({ index: 1 }, { attempts: 2 });
    await eventually(() => runs.length === 3);
    // In which order depends on when this process gets round to them.
    expect(runs.toSorted()).toEqual([1, 1, 2]);
    expect(early).toEqual([]);
  });
});
