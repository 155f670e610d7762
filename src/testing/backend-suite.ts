/**
 * The contract of {@link Backend} as a suite of tests, for whoever writes an adapter.
 *
 *     import { describe, it } from 'vitest'; // or mocha, or node:test
 *     describeBackend({ describe, it }, { name: 'mine', create, passTime, nowMs });
 *
 * It brings its own assertions, so any runner will do. Each case has a fresh backend, which is closed afterwards even
 * when the case fails.
 */

import type { Backend } from '../backend/backend.ts';
import type { PortName } from '../backend/calls.ts';
import { checkBackend } from '../backend/check-backend.ts';
import { completeBackend } from '../backend/complete-backend.ts';
import { systemClock } from '../runtime/clock.ts';
import { conditionalCases, countingCases, orderCases } from './backend-suite/atomic.ts';
import { callCases } from './backend-suite/calls.ts';
import {
  type BackendCase,
  type BackendConfiguration,
  type BackendFeature,
  type BackendUnderTest,
  type ConfigurationName,
  needing,
} from './backend-suite/case.ts';
import { expiringCases, expiringValueCases } from './backend-suite/expiry.ts';
import { keyCases } from './backend-suite/keys.ts';
import { clearingCases, listingCases } from './backend-suite/listing.ts';
import { manyCases } from './backend-suite/many.ts';
import { modelCases } from './backend-suite/model.ts';
import { valueCases } from './backend-suite/values.ts';

export type { BackendConfiguration, BackendFeature, ConfigurationName } from './backend-suite/case.ts';

type DefineCase = (title: string, body: () => Promise<void>) => unknown;

/** The part of a test runner that the suite needs. vitest, mocha, jest and node:test have it. */
export interface BackendSuiteRunner {
  readonly describe: (title: string, body: () => void) => unknown;
  /** Without `skip`, a skipped case is one that passes and says in its title that it was skipped. */
  readonly it: DefineCase & { readonly skip?: DefineCase };
}

/** The adapter under test. */
export interface BackendAdapter {
  readonly name: string;

  /** Makes a backend. It may have the five required calls only: the suite completes it as the library does. */
  create(configuration: BackendConfiguration): Promise<Backend>;

  /** Lets this many milliseconds pass: moves the simulated clock, or waits. The suite asks for some hundred at most. */
  passTime(ms: number): Promise<void>;

  /** Unix time in milliseconds by the clock that values expire by. For a server: the server's. */
  nowMs(): number;

  /** What the adapter does not do, with the reason, which stands in the title of each case that is skipped for it. */
  readonly unsupported?: Partial<Record<ConfigurationName | BackendFeature, string>> | undefined;
}

const configurations: readonly BackendConfiguration[] = [
  { name: 'plain', keyPrefix: undefined, joinsStore: false },
  { name: 'prefixed', keyPrefix: 'app:{1}:*?[x]\\', joinsStore: false },
];

const portTopics: Readonly<Record<PortName, readonly BackendCase[]>> = {
  many: manyCases,
  expiring: expiringCases,
  conditional: conditionalCases,
  counting: countingCases,
  listing: listingCases,
  clearing: clearingCases,
};

const topics: readonly (readonly [title: string, cases: readonly BackendCase[]])[] = [
  ['values', valueCases],
  ['keys', keyCases],
  ['order of calls', orderCases],
  ['values that expire', expiringValueCases],
  ...Object.entries(portTopics).map(([port, cases]) => [`the port ${port}`, needing(port as PortName, cases)] as const),
  ['calls', callCases],
  ['model', modelCases],
];

/** Defines the whole suite with the runner given, in every configuration. */
export function describeBackend({ describe, it }: BackendSuiteRunner, adapter: BackendAdapter): void {
  const skip: DefineCase = (title, body) => (it.skip === undefined ? it(title, async () => {}) : it.skip(title, body));
  describe(`the backend ${adapter.name}`, () => {
    for (const configuration of configurations) {
      const unsupported = adapter.unsupported?.[configuration.name];
      if (unsupported !== undefined) {
        skip(`keeps the contract when ${configuration.name} (skipped: ${unsupported})`, async () => {});
        continue;
      }
      for (const [topic, cases] of topics) {
        describe(`${configuration.name}, ${topic}`, () => {
          for (const one of cases) defineCase(one, configuration, adapter, it, skip);
        });
      }
    }
  });
}

function defineCase(
  one: BackendCase,
  configuration: BackendConfiguration,
  adapter: BackendAdapter,
  it: DefineCase,
  skip: DefineCase,
): void {
  if (one.only !== undefined && one.only !== configuration.name) return;
  const body = () => runCase(one, configuration, adapter);
  const reasons = (one.needs ?? []).flatMap((feature) => adapter.unsupported?.[feature] ?? []);
  if (reasons.length === 0) it(one.title, body);
  else skip(`${one.title} (skipped: ${[...new Set(reasons)].join('; ')})`, body);
}

async function runCase(one: BackendCase, configuration: BackendConfiguration, adapter: BackendAdapter): Promise<void> {
  const opened: BackendUnderTest[] = [];
  const open = async (made: BackendConfiguration) => {
    const raw = checkBackend('backend', await adapter.create(made));
    const backend = completeBackend(raw, { clock: systemClock, nodeName: adapter.name }) as BackendUnderTest;
    opened.push(backend);
    return { raw, backend };
  };
  let failure: { readonly reason: unknown } | undefined;
  try {
    await one.run({
      ...(await open(configuration)),
      passTime: (ms) => adapter.passTime(ms),
      nowMs: () => adapter.nowMs(),
      supports: (feature) => adapter.unsupported?.[feature] === undefined,
      neighbour: async (keyPrefix) => (await open({ ...configuration, keyPrefix, joinsStore: true })).backend,
    });
  } catch (reason) {
    failure = { reason };
  }
  const closed = await Promise.allSettled(opened.map((backend) => backend.close()));
  // The case's own failure says more than that of closing after it.
  failure ??= closed.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
