import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/errors/index.ts';
import type { NodeId, NodeInput } from '../../src/placement/node.ts';
import type { Placement } from '../../src/placement/placement.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { describePlacement, type PlacementAdapter } from '../../src/testing/placement-suite.ts';
import { placementMutants } from './placement-mutants.ts';
import { type ReferenceKind, ReferencePlacement } from './reference-placement.ts';

const adapterOf = (Kind: ReferenceKind, more: Partial<PlacementAdapter> = {}): PlacementAdapter => ({
  name: 'reference',
  create: (nodes, replicationFactor) => Kind.create(nodes, replicationFactor),
  restore: (snapshot) => Kind.restore(snapshot),
  ...more,
});

interface Collected {
  readonly title: string;
  readonly body: () => void;
}

/** The cases that the suite defines for an adapter, by a runner that only writes them down. */
function collect(adapter: PlacementAdapter): { cases: Collected[]; skipped: string[] } {
  const cases: Collected[] = [];
  const skipped: string[] = [];
  const path: string[] = [];
  const describe = (title: string, body: () => void) => {
    path.push(title);
    body();
    path.pop();
  };
  const titled = (title: string) => [...path, title].join(' > ');
  const it = Object.assign((title: string, body: () => void) => cases.push({ title: titled(title), body }), {
    skip: (title: string) => skipped.push(titled(title)),
  });
  describePlacement({ describe, it }, adapter);
  return { cases, skipped };
}

function fails({ body }: Collected): boolean {
  try {
    body();
    return false;
  } catch {
    return true;
  }
}

/** Titles of the cases that fail, of those with `part` in their title. */
const failuresOf = (adapter: PlacementAdapter, part = '') =>
  collect(adapter)
    .cases.filter((one) => one.title.includes(part) && fails(one))
    .map(({ title }) => title);

// In full, each case as a test of its own: the plainest placement there is, and the ring.
describePlacement({ describe, it }, adapterOf(ReferencePlacement));
describePlacement(
  { describe, it },
  {
    name: 'HashRing',
    create: (nodes, replicationFactor) => HashRing.create(nodes, { slots: 2 ** 14, replicationFactor }),
    restore: (snapshot) => HashRing.fromSnapshot(snapshot),
  },
);

describe('the placement suite', () => {
  it('skips no case of a placement that has everything, and gives every case a title of its own', () => {
    const { cases, skipped } = collect(adapterOf(ReferencePlacement));
    expect(skipped).toEqual([]);
    expect(cases.length).toBeGreaterThan(150);
    expect(new Set(cases.map(({ title }) => title)).size).toBe(cases.length);
  });

  describe('catches a placement in which', () => {
    it.each(Object.keys(placementMutants))('%s', (name) => {
      const { Kind, caughtBy } = placementMutants[name]!;
      const { cases } = collect(adapterOf(Kind));
      expect(cases.some((one) => one.title.includes(caughtBy) && fails(one))).toBe(true);
    });
  });

  it('has a mutant for each case', () => {
    const { cases } = collect(adapterOf(ReferencePlacement));
    const parts = Object.values(placementMutants).map(({ caughtBy }) => caughtBy);
    const titles = [...new Set(cases.map(({ title }) => title.split(' > ').at(-1)!))];
    const unproven = titles.filter((title) => !parts.some((part) => title.includes(part)));
    expect(unproven).toEqual([]);
  });

  it('puts the reason into the title of every case that it skips', () => {
    const unsupported = { zones: 'one room only', hashTags: 'keys are taken as they are' };
    const { cases, skipped } = collect(adapterOf(ReferencePlacement, { unsupported }));
    expect(skipped.filter((title) => title.includes('(skipped: one room only)')).length).toBeGreaterThan(2);
    expect(skipped.filter((title) => title.endsWith('(skipped: keys are taken as they are)')).length).toBeGreaterThan(
      2,
    );
    expect(cases.filter(({ title }) => title.includes('in zones'))).toEqual([]);
  });

  it('still names a skipped case and its reason with a runner that cannot skip', () => {
    const titles: string[] = [];
    const it = (title: string) => titles.push(title);
    const unsupported = { anyId: 'hosts and ports only' };
    describePlacement({ describe: (_, body) => body(), it }, adapterOf(ReferencePlacement, { unsupported }));
    expect(titles.some((title) => title.endsWith('(skipped: hosts and ports only)'))).toBe(true);
  });

  describe('of what a kind cannot do', () => {
    const unsupported = { weights: 'all alike', anyRemoval: 'grows and shrinks at the end', arcs: 'no slots' };
    const refusals = ['refuses weights that', 'refuses to let go of', 'is not taken for'];

    it.each(refusals)('asks that it be refused: %s', (title) => {
      expect(failuresOf(adapterOf(ReferencePlacement, { unsupported }), title)).not.toEqual([]);
    });

    it('is content when it is refused', () => {
      const last = ({ nodes }: Placement) => nodes.at(-1)!.id;
      class Refusing extends ReferencePlacement {
        override withNode(node: NodeInput) {
          if ((node.weight ?? 1) !== 1) throw new InvalidArgumentError('node.weight', 'no weight', node.weight);
          return super.withNode(node);
        }
        override withoutNode(id: NodeId) {
          if (id !== last(this)) throw new InvalidArgumentError('id', 'the last node', id);
          return super.withoutNode(id);
        }
        override withWeight(id: NodeId, weight: number): ReferencePlacement {
          if (weight !== 1) throw new InvalidArgumentError('weight', 'no other weight than 1', weight);
          return super.withWeight(id, weight);
        }
      }
      const { arcs: _, ...others } = unsupported;
      const adapter = adapterOf(Refusing, { unsupported: others });
      expect(refusals.map((title) => failuresOf(adapter, title))).toEqual([[], [], []]);
      expect(collect(adapter).cases.filter(({ title }) => title.includes(refusals[0]!))).toHaveLength(4);
    });
  });

  it('allows the needless moves that a kind owns up to, and not one more', () => {
    // One slot in a hundred goes by the number of nodes.
    class Nearly extends ReferencePlacement {
      override order(slot: number) {
        const ids = this.nodes.map(({ id }) => id);
        const start = slot % ids.length;
        return slot % 100 === 7 ? [...ids.slice(start), ...ids.slice(0, start)] : super.order(slot);
      }
    }
    const part = 'moves keys only to a node that joins';
    const ofTen = (needlessMoves: number) =>
      failuresOf(adapterOf(Nearly, { needlessMoves }), part).filter((title) => title.includes('ten nodes'));
    expect(ofTen(0)).toHaveLength(2);
    expect(ofTen(0.001)).toHaveLength(2);
    expect(ofTen(0.05)).toEqual([]);
  });
});
