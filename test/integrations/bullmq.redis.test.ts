import { FlowProducer, type Job, Queue, QueueEvents, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';
import { eventually } from '../support/eventually.ts';

/** All keys of the queue contain `{queue}`, and so live on one node. */
const prefix = '{queue}';

// A queue needs one server: its scripts touch many keys. So it gets the ordinary client of the node that owns its tag.
describe.each(dropInKinds)('BullMQ over $title', ({ open, serverCount }) => {
  let dropIn: DropIn;
  let connection: Redis;
  let queue: Queue;
  let closers: (() => Promise<unknown>)[];

  beforeAll(async () => {
    dropIn = await open();
  });

  afterAll(() => dropIn.close());

  beforeEach(async () => {
    await dropIn.flush();
    connection = dropIn.nodeFor(prefix).duplicate({ maxRetriesPerRequest: null });
    queue = new Queue('jobs', { connection, prefix });
    closers = [];
  });

  afterEach(async () => {
    await Promise.all(closers.map((close) => close()));
    await queue.close();
    connection.disconnect();
  });

  const work = (process: (job: Job) => Promise<unknown>, options: object = {}) => {
    const worker = new Worker('jobs', process, { connection, prefix, ...options });
    closers.push(() => worker.close());
    return worker;
  };

  it('runs every job once, by two workers, all on the node of the tag', async () => {
    const runs: number[] = [];
    const run = async ({ data }: Job) => {
      runs.push(data.index);
      return data.index * 2;
    };
    const workers = [work(run, { concurrency: 5 }), work(run, { concurrency: 5 })];
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    await queue.addBulk(Array.from({ length: 100 }, (_, index) => ({ name: 'double', data: { index } })));
    await eventually(async () => (await queue.getCompletedCount()) === 100);
    expect(runs.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    const [job] = await queue.getJobs(['completed'], 0, 0);
    expect(job?.returnvalue).toBe(job?.data.index * 2);

    const counts = await dropIn.keyCounts();
    expect(counts.filter((count) => count > 0).length).toBe(1);
    const keys = await connection.keys('*');
    expect(keys.length).toBe(Math.max(...counts));
    for (const key of keys) expect(dropIn.serverOf(key).port).toBe(connection.options.port);
  });

  it('runs delayed jobs when they are due, in the order due', async () => {
    const runs: string[] = [];
    // At once, so that what they are counted from is the same however slow the machine is.
    await queue.addBulk([
      { name: 'late', data: {}, opts: { delay: 300 } },
      { name: 'early', data: {}, opts: { delay: 50 } },
      { name: 'now', data: {} },
    ]);
    work(async ({ name }) => void runs.push(name));
    await eventually(() => runs.length === 3);
    expect(runs).toEqual(['now', 'early', 'late']);
  });

  it('repeats jobs, and retries failed ones', async () => {
    const runs: string[] = [];
    work(async ({ name, attemptsMade }) => {
      runs.push(name);
      if (name === 'flaky' && attemptsMade === 0) throw new Error('the first try fails');
    });
    await queue.add('flaky', {}, { attempts: 2 });
    await queue.upsertJobScheduler('every', { every: 100, limit: 3 }, { name: 'tick' });
    await eventually(() => runs.filter((name) => name === 'tick').length === 3);
    await eventually(() => runs.filter((name) => name === 'flaky').length === 2);
    await eventually(async () => (await queue.getActiveCount()) === 0);
    expect(await queue.getFailedCount()).toBe(0);
  });

  it('runs a parent after its children, and reports it in events', async () => {
    // It listens by a blocking command, and so gets a connection that it shares with nobody.
    const listening = connection.duplicate();
    const events = new QueueEvents('jobs', { connection: listening, prefix });
    const flows = new FlowProducer({ connection, prefix });
    closers.push(
      () => events.close().finally(() => listening.disconnect()),
      () => flows.close(),
    );
    await events.waitUntilReady();
    work(async (job) => {
      if (job.name === 'child') return job.data.amount;
      const amounts: number[] = Object.values(await job.getChildrenValues());
      return amounts.reduce((sum, amount) => sum + amount, 0);
    });
    const { job } = await flows.add({
      name: 'parent',
      queueName: 'jobs',
      children: [1, 2, 3].map((amount) => ({ name: 'child', queueName: 'jobs', data: { amount } })),
    });
    expect(await job.waitUntilFinished(events, 10_000)).toBe(6);
  });

  it.runIf(serverCount > 1)('rejects the whole client, and says to pass the client of one node', async () => {
    const errors: unknown[] = [];
    const whole = new Queue('jobs', { connection: dropIn.client, prefix });
    whole.on('error', (error) => errors.push(error));
    const advice = expect.stringContaining("redis.nodeFor('{queue}')");
    await expect(whole.add('job', {})).rejects.toMatchObject({ code: 'ERR_COMMAND_REFUSED', message: advice });
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_COMMAND_REFUSED', message: advice })]);
    const makeWorker = () => new Worker('jobs', async () => undefined, { connection: dropIn.client, prefix });
    expect(makeWorker).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: advice }));
  });

  it('lets queues of other tags live on other nodes', () => {
    const ports = new Set(Array.from({ length: 50 }, (_, index) => dropIn.serverOf(`{queue-${index}}`).port));
    expect(ports.size).toBe(serverCount);
  });
});
