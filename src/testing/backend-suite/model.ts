/** One long run of random calls on the backend and on a Map, which must give the same answers. */

import assert from 'node:assert/strict';
import { type Random, seededRandom } from '../../runtime/random.ts';
import { type BackendCase, type BackendFeature, type BackendUnderTest, bytesOf, scannedKeys, textOf } from './case.ts';

type Model = Map<string, string>;

interface Step {
  readonly backend: BackendUnderTest;
  readonly model: Model;
  /** An integer in [0, below). */
  readonly pick: (below: number) => number;
  readonly key: () => string;
}

interface Move {
  readonly needs?: BackendFeature;
  run(step: Step): Promise<void>;
}

/** Decimal text, so that `increment` finds what it can work on. */
const randomText = ({ pick }: Step) => `${pick(2_000) - 1_000}`;

const severalKeys = ({ pick, key }: Step) => Array.from({ length: pick(6) }, key);

const removeEach = (model: Model, keys: readonly string[]) => keys.map((key) => model.delete(key));

const moves: readonly Move[] = [
  {
    async run({ backend, model, key }) {
      const one = key();
      assert.equal(textOf(await backend.get(one, {})), model.get(one));
    },
  },
  {
    async run(step) {
      const [key, text] = [step.key(), randomText(step)];
      await step.backend.set(key, bytesOf(text), {});
      step.model.set(key, text);
    },
  },
  {
    async run({ backend, model, key }) {
      const one = key();
      assert.equal(await backend.delete(one, {}), model.delete(one));
    },
  },
  {
    async run(step) {
      const keys = severalKeys(step);
      const values = await step.backend.many.getMany(keys, {});
      assert.deepEqual(
        values.map(textOf),
        keys.map((key) => step.model.get(key)),
      );
    },
  },
  {
    async run(step) {
      const entries = severalKeys(step).map((key) => [key, randomText(step)] as const);
      const failures = await step.backend.many.setMany(
        entries.map(([key, text]) => [key, bytesOf(text)] as const),
        {},
      );
      assert.equal(failures.size, 0);
      for (const [key, text] of entries) step.model.set(key, text);
    },
  },
  {
    async run(step) {
      const keys = severalKeys(step);
      assert.deepEqual(await step.backend.many.deleteMany(keys, {}), removeEach(step.model, keys));
    },
  },
  {
    needs: 'conditional',
    async run(step) {
      const [key, text] = [step.key(), randomText(step)];
      const absent = !step.model.has(key);
      assert.equal(await step.backend.conditional.setIfAbsent(key, bytesOf(text), {}), absent);
      if (absent) step.model.set(key, text);
    },
  },
  {
    needs: 'counting',
    async run({ backend, model, key, pick }) {
      const [one, by] = [key(), pick(21) - 10];
      const sum = Number(model.get(one) ?? 0) + by;
      assert.equal(await backend.counting.increment(one, by, {}), sum);
      model.set(one, `${sum}`);
    },
  },
  {
    needs: 'expiring',
    async run({ backend, model, key, pick }) {
      const one = key();
      // Either the value stays or it expires at once: what lies between depends on the machine.
      const expiresAtMs = pick(2) === 0 ? undefined : 1;
      assert.equal(await backend.expiring.expire(one, expiresAtMs, {}), model.has(one));
      if (expiresAtMs !== undefined) model.delete(one);
    },
  },
];

async function assertSameContents({ backend, model }: Step, canScan: boolean): Promise<void> {
  const keys = [...model.keys()].sort();
  assert.deepEqual(
    (await backend.many.getMany(keys, {})).map(textOf),
    keys.map((key) => model.get(key)),
  );
  if (canScan) assert.deepEqual(await scannedKeys(backend), keys);
}

const stepCount = 2_000;

function stepsOf(backend: BackendUnderTest, random: Random): Step {
  const pick = (below: number) => Math.floor(random() * below);
  // Few keys, so that most calls find something.
  return { backend, model: new Map(), pick, key: () => `key:${pick(24)}` };
}

export const modelCases: readonly BackendCase[] = [1, 2].map((seed) => ({
  title: `answers ${stepCount} random calls as a Map does (seed ${seed})`,
  async run({ backend, supports }) {
    const step = stepsOf(backend, seededRandom(seed));
    const possible = moves.filter(({ needs }) => needs === undefined || supports(needs));
    for (let count = 0; count < stepCount; count++) {
      await possible[step.pick(possible.length)]!.run(step);
      if (count % 500 === 499) await assertSameContents(step, supports('listing'));
    }
    if (!supports('clearing')) return;
    await backend.clearing.clear({});
    step.model.clear();
    await assertSameContents(step, supports('listing'));
  },
}));
