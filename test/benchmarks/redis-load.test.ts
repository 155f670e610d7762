import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { fillAndCheck, looksRight, manyLookRight } from '../../benchmarks/redis/check.ts';
import { mergedByGroup } from '../../benchmarks/redis/contenders/modulo.ts';
import { RawConnection } from '../../benchmarks/redis/contenders/raw-resp.ts';
import { makeData } from '../../benchmarks/redis/data.ts';
import { openLoop } from '../../benchmarks/redis/failure/open-loop.ts';
import { runLoad } from '../../benchmarks/redis/load.ts';
import type { Store } from '../../benchmarks/redis/store.ts';

const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a load', () => {
  for (const arrival of ['closed', 'independent'] as const) {
    it(`keeps as many calls in flight as there are callers, ${arrival}`, async () => {
      let [underWay, most, begun] = [0, 0, 0];
      const result = await runLoad({
        callers: 7,
        arrival,
        durationMs: 20,
        timedOneIn: 4,
        call: async (number) => {
          begun++;
          most = Math.max(most, ++underWay);
          await soon();
          underWay--;
          return number;
        },
        isRight: (answer, number) => answer === number && number !== 3,
      });
      expect(most).toBe(7);
      expect(underWay).toBe(0);
      expect(result.operations).toBe(begun);
      expect(result.wrong).toBe(1);
      expect(result.elapsedMs).toBeGreaterThanOrEqual(20);
      expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms);
    });
  }

  it('begins independent operations in macrotasks of their own', async () => {
    let microtasksSince = 0;
    const sinceLast: number[] = [];
    // A machine that stalls may end a load after its first call.
    while (sinceLast.length < 10) {
      await runLoad({
        callers: 3,
        arrival: 'independent',
        durationMs: 5,
        timedOneIn: 1,
        call: async () => {
          sinceLast.push(microtasksSince);
          microtasksSince = 0;
          queueMicrotask(() => microtasksSince++);
        },
        isRight: () => true,
      });
    }
    // In one macrotask the second would begin before the first one's microtask has run.
    expect(new Set(sinceLast.slice(1))).toEqual(new Set([1]));
  });

  it('fails if a call fails', async () => {
    for (const arrival of ['closed', 'independent'] as const) {
      const call = () => Promise.reject(new Error('refused'));
      const load = runLoad({ callers: 2, arrival, durationMs: 5, timedOneIn: 1, call, isRight: () => true });
      await expect(load).rejects.toThrow('refused');
    }
  });
});

describe('an open loop', () => {
  it('goes on calling while nobody answers, and counts how calls end and those that never do', async () => {
    const { victim, others } = await openLoop({
      perSecond: 1_000,
      durationMs: 40,
      patienceMs: 20,
      call(number) {
        if (number % 4 === 0) return { group: 'victim', answer: new Promise(() => undefined) };
        return { group: 'others', answer: number % 4 === 1 ? Promise.reject(new Error('no')) : Promise.resolve() };
      },
    });
    expect(victim).toMatchObject({ calls: 10, unended: 10, endings: {} });
    expect(others).toMatchObject({ calls: 30, unended: 0, endings: { ok: 20, no: 10 } });
    expect(victim.p99Ms).toBeNaN();
  });

  it('counts latency from when a call was due', async () => {
    const { others } = await openLoop({
      perSecond: 1_000,
      durationMs: 100,
      patienceMs: 0,
      call(number) {
        // The client is held up; what was due meanwhile has waited.
        const untilMs = performance.now() + (number === 20 ? 50 : 0);
        while (performance.now() < untilMs);
        return { group: 'others', answer: Promise.resolve() };
      },
    });
    expect(others.calls).toBe(100);
    expect(others.longestMs).toBeGreaterThanOrEqual(45);
  });
});

describe('the check of answers', () => {
  const data = makeData('00');

  function memoryStore(change: (value: string | undefined, key: string) => string | undefined): Store {
    const map = new Map<string, string>();
    const get = (key: string) => change(map.get(key), key) ?? null;
    return {
      get: async (key) => get(key),
      set: async (key, value) => map.set(key, value),
      mget: async (keys) => keys.map(get),
      close: async () => undefined,
    };
  }

  it('passes a store that works', async () => {
    await fillAndCheck(
      memoryStore((value) => value),
      data,
    );
  });

  it('sees the value of another key', async () => {
    const [first, second] = [data.keys[0]!, data.values[1]!];
    const store = memoryStore((value, key) => (key === first && value !== undefined ? second : value));
    await expect(fillAndCheck(store, data)).rejects.toThrow('should be');
  });

  it('sees a lost key in one batch', async () => {
    const lost = data.keys[4_321];
    const store = memoryStore((value, key) => (key === lost ? undefined : value));
    await expect(fillAndCheck(store, data)).rejects.toThrow('mget is undefined');
  });

  it('looks at lengths while it is timed', () => {
    expect(looksRight(data.values[0])).toBe(true);
    expect(looksRight(null)).toBe(false);
    expect(manyLookRight([data.values[0]!, null, data.values[2]!], ['a', 'b'])).toBe(false);
    expect(manyLookRight([data.values[0]!, data.values[2]!], ['a', 'b'])).toBe(true);
    expect(manyLookRight(new Map([['a', 'x']]), ['a', 'b'])).toBe(false);
  });
});

describe('an MGET by hand', () => {
  it('puts the parts of the groups into the order of the keys', async () => {
    const keys = ['7', '2', '9', '4', '2'];
    const asked: [number, string[]][] = [];
    const values = await mergedByGroup(
      keys,
      3,
      (key) => Number(key) % 3,
      async (group, part) => {
        asked.push([group, part]);
        return part.map((key) => (key === '9' ? null : `value of ${key}`));
      },
    );
    expect(values).toEqual(['value of 7', 'value of 2', null, 'value of 4', 'value of 2']);
    expect(asked).toEqual([
      [0, ['9']],
      [1, ['7', '4']],
      [2, ['2', '2']],
    ]);
  });
});

describe('bare sockets', () => {
  let server: Server | undefined;
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  });

  /** A server that says `replies` in pieces of some bytes once it has heard `commands` bytes. */
  async function serverSaying(replies: string, commands: number, piece: number) {
    const heard: string[] = [];
    server = createServer((socket) => {
      sockets.push(socket);
      // Its client may be gone before the last piece.
      socket.on('error', () => undefined);
      socket.setNoDelay(true);
      socket.on('data', async (chunk: Buffer) => {
        heard.push(chunk.toString());
        if (heard.join('').length < commands) return;
        for (let place = 0; place < replies.length; place += piece) {
          socket.write(replies.slice(place, place + piece));
          await soon();
        }
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { heard, port: (server.address() as AddressInfo).port };
  }

  const replies = '$5\r\nhello\r\n$-1\r\n+OK\r\n*3\r\n$1\r\na\r\n$-1\r\n$2\r\nbc\r\n';
  const sent = [
    ['GET', 'a'],
    ['GET', 'b'],
    ['SET', 'c', 'd'],
    ['MGET', 'e', 'f', 'g'],
  ];
  const encoded = (parts: readonly string[]) =>
    `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`;
  const commands = sent.map(encoded).join('');

  for (const piece of [1, 2, 3, 7, 1_000]) {
    it(`read replies that come in pieces of ${piece}`, async () => {
      const { heard, port } = await serverSaying(replies, commands.length, piece);
      const connection = await RawConnection.open(port);
      const answers = await Promise.all(sent.map((parts) => connection.send(parts)));
      expect(answers).toEqual(['hello', null, 'OK', ['a', null, 'bc']]);
      expect(heard.join('')).toBe(commands);
      connection.close();
    });
  }
});
