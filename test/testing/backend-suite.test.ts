import { beforeAll, describe, expect, it } from 'vitest';
import { portCalls } from '../../src/backend/calls.ts';
import { type BackendAdapter, type BackendConfiguration, describeBackend } from '../../src/testing/backend-suite.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { mutants } from './mutants.ts';
import { ReferenceBackend, type Store } from './reference-backend.ts';

type Kind = typeof ReferenceBackend;

function adapterOf(Backend: Kind, unsupported: BackendAdapter['unsupported'] = {}): BackendAdapter {
  const clock = new SimulatedClock();
  let store: Store = new Map();
  return {
    name: 'reference',
    async create({ keyPrefix = '', joinsStore }: BackendConfiguration) {
      if (!joinsStore) store = new Map();
      return new Backend(store, keyPrefix, clock);
    },
    passTime: (ms) => clock.advance(ms),
    nowMs: () => clock.wallMs(),
    unsupported,
  };
}

interface Collected {
  readonly title: string;
  readonly body: () => Promise<void>;
}

/** The cases that the suite defines for an adapter, by a runner that only writes them down. */
function collect(adapter: BackendAdapter): { cases: Collected[]; skipped: string[] } {
  const cases: Collected[] = [];
  const skipped: string[] = [];
  const path: string[] = [];
  const describe = (title: string, body: () => void) => {
    path.push(title);
    body();
    path.pop();
  };
  const titled = (title: string) => [...path, title].join(' > ');
  const it = Object.assign((title: string, body: () => Promise<void>) => cases.push({ title: titled(title), body }), {
    skip: (title: string) => skipped.push(titled(title)),
  });
  describeBackend({ describe, it }, adapter);
  return { cases, skipped };
}

/** Titles of the cases that fail, `atMost` so many. */
async function failuresOf(adapter: BackendAdapter, atMost = Number.POSITIVE_INFINITY): Promise<string[]> {
  const failed: string[] = [];
  for (const { title, body } of collect(adapter).cases) {
    if (failed.length >= atMost) break;
    await body().catch(() => failed.push(title));
  }
  return failed;
}

describe('the backend suite', () => {
  it('passes a backend that keeps the contract, without skipping a case', async () => {
    const adapter = adapterOf(ReferenceBackend);
    expect(collect(adapter).skipped).toEqual([]);
    expect(collect(adapter).cases.length).toBeGreaterThan(100);
    expect(await failuresOf(adapter)).toEqual([]);
  });

  it('gives every case a title of its own', () => {
    const titles = collect(adapterOf(ReferenceBackend)).cases.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  describe('fails a backend in which', () => {
    it.each(Object.keys(mutants))('%s', async (name) => {
      expect(await failuresOf(adapterOf(mutants[name]!), 1)).toHaveLength(1);
    });
  });

  it('puts the reason into the title of every case that it skips', () => {
    const { cases, skipped } = collect(
      adapterOf(ReferenceBackend, { counting: 'no counters here', prefixed: 'one user per store' }),
    );
    expect(skipped.filter((title) => title.endsWith('(skipped: no counters here)')).length).toBeGreaterThan(4);
    expect(skipped.filter((title) => title.endsWith('(skipped: one user per store)'))).toHaveLength(1);
    expect(cases.filter(({ title }) => title.includes('prefixed'))).toEqual([]);
  });

  it.each(Object.entries(portCalls))(
    'has a section for the port %s, all of which is skipped without it',
    (port, calls) => {
      const section = `plain, the port ${port} > `;
      const inSection = (titles: string[]) => titles.filter((title) => title.includes(section));
      const all = inSection(collect(adapterOf(ReferenceBackend)).cases.map(({ title }) => title));
      for (const call of Object.keys(calls)) expect(all.some((title) => title.includes(call))).toBe(true);
      const without = collect(adapterOf(ReferenceBackend, { [port]: 'not here' }));
      expect(inSection(without.skipped)).toEqual(all.map((title) => `${title} (skipped: not here)`));
    },
  );

  it('still names a skipped case and its reason with a runner that cannot skip', () => {
    const titles: string[] = [];
    const it = (title: string) => titles.push(title);
    describeBackend(
      { describe: (_, body) => body(), it },
      adapterOf(ReferenceBackend, { largeValues: 'too small a machine' }),
    );
    expect(titles.some((title) => title.endsWith('(skipped: too small a machine)'))).toBe(true);
  });

  describe('closes what it opened', () => {
    const opened: ReferenceBackend[] = [];
    let stillOpen: number;
    let closed = 0;

    beforeAll(async () => {
      class Failing extends ReferenceBackend {
        constructor(...args: ConstructorParameters<Kind>) {
          super(...args);
          opened.push(this);
        }
        override async get(): Promise<never> {
          throw new Error('broken');
        }
        override async close() {
          if (!this.closed) closed++;
          await super.close();
        }
      }
      await failuresOf(adapterOf(Failing));
      stillOpen = opened.length - closed;
    });

    it('also when the case failed, and neighbours too', () => {
      expect(opened.length).toBeGreaterThan(100);
      expect(stillOpen).toBe(0);
    });
  });
});
