/**
 * The contract of {@link Placement} as a suite of tests, for authors of placements.
 *
 *     import { describe, it } from 'vitest'; // or mocha, or node:test
 *     describePlacement({ describe, it }, { name: 'mine', create: (nodes) => MyPlacement.create(nodes), restore });
 *
 * It brings its own assertions and its own repeatable keys, so any runner will do, and a run that passes once passes
 * again. The suite owns the nodes that the placement is tried with; each case has a placement of its own.
 */

import { InvalidArgumentError } from '../errors/index.ts';
import type { NodeInput } from '../placement/node.ts';
import type { Placement } from '../placement/placement.ts';
import { type Random, seededRandom } from '../runtime/random.ts';
import {
  type PlacementCase,
  type PlacementContext,
  type PlacementFeature,
  placementFeatures,
  plainKey,
} from './placement-suite/case.ts';
import { changeCases } from './placement-suite/changes.ts';
import { configurations, type PlacementConfiguration } from './placement-suite/configurations.ts';
import { errorCases } from './placement-suite/errors.ts';
import { keyCases } from './placement-suite/keys.ts';
import { lookupCases } from './placement-suite/lookups.ts';
import { shareCases } from './placement-suite/shares.ts';
import { snapshotCases } from './placement-suite/snapshots.ts';

export type { PlacementFeature } from './placement-suite/case.ts';

type DefineCase = (title: string, body: () => void) => unknown;

/** The part of a test runner that the suite needs. vitest, mocha, jest and node:test have it. */
export interface PlacementSuiteRunner {
  readonly describe: (title: string, body: () => void) => unknown;
  /** Without `skip`, a skipped case is one that passes and says in its title that it was skipped. */
  readonly it: DefineCase & { readonly skip?: DefineCase };
}

/** The kind of placement under test, with all its own options decided. */
export interface PlacementAdapter {
  readonly name: string;

  /**
   * Makes a placement of these nodes, the same each time.
   *
   * @param replicationFactor  Length of the lists that will be asked for most. A kind that makes no difference of it
   *                           leaves it; it must never change the mapping.
   */
  create(nodes: readonly NodeInput[], replicationFactor: number): Placement;

  /** The placement that a snapshot was taken of, given as the object or as its JSON text. */
  restore(snapshot: unknown): Placement;

  /** Features that this kind lacks, with the reason, which the title of each skipped case shows. */
  readonly unsupported?: Partial<Record<PlacementFeature, string>> | undefined;

  /**
   * Part of the keys, in [0, 1], that one change may move between nodes that did not change. Default 0: not a single
   * key. A kind that moves a few gives here what its documentation promises.
   */
  readonly needlessMoves?: number | undefined;

  /**
   * Draws a key, for a kind that is made for keys of a certain form. Few may come twice.
   * Default: 1 to 24 lower-case letters and digits, mostly 8 or more.
   */
  key?(random: Random): string;
}

const topics: readonly (readonly [title: string, cases: readonly PlacementCase[]])[] = [
  ['lookups', lookupCases],
  ['keys and ids', keyCases],
  ['changes', changeCases],
  ['shares', shareCases],
  ['snapshots', snapshotCases],
  ['errors', errorCases],
];

/** Defines the whole suite with the runner given, in every configuration. */
export function describePlacement({ describe, it }: PlacementSuiteRunner, adapter: PlacementAdapter): void {
  const skip: DefineCase = (title, body) => (it.skip === undefined ? it(title, () => {}) : it.skip(title, body));
  for (const name of Object.keys(adapter.unsupported ?? {})) {
    if (!(placementFeatures as readonly string[]).includes(name)) {
      throw new InvalidArgumentError(`unsupported.${name}`, `one of ${placementFeatures.join(', ')}`, name);
    }
  }
  const keys = keySource(adapter);
  describe(`the placement ${adapter.name}`, () => {
    for (const configuration of configurations) {
      const reasons = reasonsAgainst(configuration.needs, adapter);
      if (reasons !== undefined) {
        skip(`keeps the contract with ${configuration.name} (skipped: ${reasons})`, () => {});
        continue;
      }
      for (const [topic, cases] of topics) {
        describe(`${configuration.name}, ${topic}`, () => {
          for (const one of cases) {
            defineCase(one, configuration, adapter, () => one.run(contextOf(configuration, adapter, keys)), it, skip);
          }
        });
      }
    }
  });
}

function defineCase(
  one: PlacementCase,
  configuration: PlacementConfiguration,
  adapter: PlacementAdapter,
  body: () => void,
  it: DefineCase,
  skip: DefineCase,
): void {
  // Neither is a gap in the test: one node cannot leave others behind, and what is not offered must be refused instead.
  if (configuration.nodes.length < (one.minNodes ?? 1)) return;
  if (one.without !== undefined && adapter.unsupported?.[one.without] === undefined) return;
  const reasons = reasonsAgainst(one.needs, adapter);
  if (reasons !== undefined) skip(`${one.title} (skipped: ${reasons})`, () => {});
  else it(one.title, body);
}

function reasonsAgainst(needs: readonly PlacementFeature[] = [], { unsupported }: PlacementAdapter) {
  const reasons = needs.flatMap((feature) => unsupported?.[feature] ?? []);
  return reasons.length === 0 ? undefined : [...new Set(reasons)].join('; ');
}

function contextOf(
  configuration: PlacementConfiguration,
  adapter: PlacementAdapter,
  keys: PlacementContext['keys'],
): PlacementContext {
  const { nodes, newcomer, replicationFactor } = configuration;
  return {
    nodes,
    newcomer,
    placement: adapter.create(nodes, replicationFactor),
    create: (others, listLength = replicationFactor) => adapter.create(others, listLength),
    restore: (snapshot) => adapter.restore(snapshot),
    supports: (feature) => adapter.unsupported?.[feature] === undefined,
    needlessMoves: adapter.needlessMoves ?? 0,
    keys,
  };
}

/** Keys are drawn when they are first asked for, and kept for all cases. */
function keySource(adapter: PlacementAdapter): PlacementContext['keys'] {
  const random = seededRandom(0x6b657973);
  const drawn: string[] = [];
  return (count) => {
    while (drawn.length < count) drawn.push(adapter.key === undefined ? plainKey(random) : adapter.key(random));
    return drawn.slice(0, count);
  };
}
