import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashRing } from '../../src/index.ts';
import type { Placement } from '../../src/placement/placement.ts';
import { isMissEverywhere, mayHold, primaryOf, type Route, routeOf } from '../../src/topology/route.ts';
import { changed, copiesOf, firstTopology, memberIdsOf, settled, type Topology } from '../../src/topology/topology.ts';
import '../support/seed.ts';

const ringOf = (ids: readonly string[], weights: readonly number[] = []): Placement =>
  HashRing.create(
    ids.map((id, index) => ({ id, weight: weights[index] ?? 1 })),
    { slots: 2 ** 8, virtualNodes: 8 },
  );

const anyRing = fc
  .uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 })
  .chain((ids) => fc.array(fc.integer({ min: 1, max: 4 })).map((weights) => ringOf(ids, weights)));
const anyKey = fc.string();
const anyFactor = fc.integer({ min: 1, max: 4 });

/** The nodes of a key, said another way than by the code under test. */
const listOf = (placement: Placement, key: string, replicationFactor: number): readonly string[] =>
  placement.preferenceList(key, placement.nodes.length).slice(0, replicationFactor);

/** Nodes by the first letter of the key: k on a; each node is followed by the next one. */
const byHand = (nodes: readonly string[], ofLetter: Record<string, string>): Placement => {
  const preferenceList = (key: string, count: number) => {
    const first = nodes.indexOf(ofLetter[key[0]!]!);
    return nodes.map((_, step) => nodes[(first + step) % nodes.length]!).slice(0, count);
  };
  const nodeFor = (key: string) => preferenceList(key, 1)[0]!;
  return { nodes: nodes.map((id) => ({ id, weight: 1 })), nodeFor, preferenceList } as unknown as Placement;
};

describe('a route', () => {
  it('is the one that can be worked out by hand', () => {
    const before = byHand(['a', 'b', 'c'], { k: 'a', l: 'b', m: 'c' });
    const after = byHand(['a', 'b', 'c', 'd'], { k: 'a', l: 'b', m: 'd' });
    const first = firstTopology(before, 2);
    const joint = changed(first, after, 'on demand');
    expect(routeOf(first, 'moved')).toEqual({
      topology: first,
      ...{ holders: ['c', 'a'], heldBefore: [], previousOwners: [] },
    });
    expect(routeOf(joint, 'moved')).toEqual({
      topology: joint,
      ...{ holders: ['d', 'a'], heldBefore: ['c', 'a'], previousOwners: ['c'] },
    });
    expect(routeOf(joint, 'kept')).toMatchObject({ holders: ['a', 'b'], heldBefore: ['a', 'b'], previousOwners: [] });
    expect([...memberIdsOf(joint)].sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(primaryOf(routeOf(joint, 'moved'))).toBe('d');
    expect(['a', 'b', 'c', 'd'].filter((node) => mayHold(routeOf(joint, 'moved'), node))).toEqual(['a', 'c', 'd']);
  });

  it('in a stable topology has the holders by the placement, and nobody before them', () => {
    fc.assert(
      fc.property(anyRing, anyKey, anyFactor, (ring, key, factor) => {
        const topology = firstTopology(ring, factor);
        const holders = listOf(ring, key, factor);
        expect(routeOf(topology, key)).toEqual({ topology, holders, heldBefore: [], previousOwners: [] });
        expect(holders.length).toBe(copiesOf(topology));
      }),
    );
  });

  it('in a joint phase has the holders by both placements, and as previous owners those that hold no more', () => {
    fc.assert(
      fc.property(anyRing, anyRing, anyKey, anyFactor, (from, to, key, factor) => {
        const topology = changed(firstTopology(from, factor), to, 'on demand');
        const route = routeOf(topology, key);
        expect(route.topology).toBe(topology);
        expect(route.holders).toEqual(listOf(to, key, factor));
        expect(route.heldBefore).toEqual(listOf(from, key, factor));
        for (const node of route.previousOwners) expect(route.holders).not.toContain(node);
        expect(new Set([...route.holders, ...route.previousOwners])).toEqual(
          new Set([...route.holders, ...route.heldBefore]),
        );
      }),
    );
  });

  it('leads to members of its topology only, and mayHold says so of no other node', () => {
    fc.assert(
      fc.property(anyRing, anyRing, anyKey, anyFactor, (from, to, key, factor) => {
        for (const fill of ['none', 'on demand'] as const) {
          const topology = changed(firstTopology(from, factor), to, fill);
          const route = routeOf(topology, key);
          const members = memberIdsOf(topology);
          const named = [...route.holders, ...route.heldBefore];
          expect(named.filter((node) => !members.has(node))).toEqual([]);
          for (const node of ['a', 'b', 'c', 'd', 'e']) expect(mayHold(route, node)).toBe(named.includes(node));
        }
      }),
    );
  });
});

describe('a miss', () => {
  const missing = (route: Pick<Route, 'holders' | 'heldBefore'>, ...nodes: string[]) =>
    isMissEverywhere(route as Route, (node) => nodes.includes(node));

  it('is believed in a stable topology where one holder has missed', () => {
    const route = { holders: ['a', 'b'], heldBefore: [] };
    expect([missing(route), missing(route, 'b'), missing(route, 'c')]).toEqual([false, true, false]);
  });

  it('is believed in a joint phase where a holder has missed, and one of before', () => {
    const route = { holders: ['d', 'a'], heldBefore: ['c', 'b'] };
    expect([missing(route, 'd'), missing(route, 'c'), missing(route, 'a', 'b')]).toEqual([false, false, true]);
  });

  it('is believed where one node is both a holder and one of before', () => {
    expect(missing({ holders: ['d', 'a'], heldBefore: ['a', 'c'] }, 'a')).toBe(true);
  });
});

describe('a topology', () => {
  const [two, three] = [ringOf(['a', 'b']), ringOf(['a', 'b', 'c'])];
  const frozen = (topology: Topology) => Object.freeze({ ...topology, phase: Object.freeze({ ...topology.phase }) });

  it('begins stable at epoch 1', () => {
    const phase = { kind: 'stable' };
    expect(firstTopology(two, 2)).toEqual({ epoch: 1, placement: two, replicationFactor: 2, phase });
  });

  it('is followed by another one at the next epoch, and stays what it is', () => {
    const first = frozen(firstTopology(two, 2));
    const lazy = changed(first, three, 'on demand');
    const phase = { kind: 'joint', from: two, fill: 'on demand' };
    expect(lazy).toEqual({ epoch: 2, placement: three, replicationFactor: 2, phase });
    const stable = { epoch: 2, placement: three, replicationFactor: 2, phase: { kind: 'stable' } };
    expect(changed(first, three, 'none')).toEqual(stable);
    expect(first.epoch).toBe(1);
  });

  it('has no joint phase where there were no nodes that could have a key', () => {
    expect(changed(firstTopology(HashRing.create([]), 1), two, 'on demand').phase).toEqual({ kind: 'stable' });
  });

  it('when its change has ended keeps its epoch, and what held keys before is no member any more', () => {
    const lazy = frozen(changed(firstTopology(three, 1), two, 'on demand'));
    expect([...memberIdsOf(lazy)].sort()).toEqual(['a', 'b', 'c']);
    const after = settled(lazy);
    expect(after).toEqual({ epoch: 2, placement: two, replicationFactor: 1, phase: { kind: 'stable' } });
    expect([...memberIdsOf(after)].sort()).toEqual(['a', 'b']);
    expect(lazy.phase.kind).toBe('joint');
  });

  it('has as many copies of a key as are wanted, or as there are nodes', () => {
    expect([1, 2, 3, 4].map((factor) => copiesOf(firstTopology(three, factor)))).toEqual([1, 2, 3, 3]);
  });
});
