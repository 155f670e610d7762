/** Cases about where keys are. */

import assert from 'node:assert/strict';
import type { NodeId } from '../../placement/node.ts';
import { type ArcPlacement, type Arcs, isArcPlacement, isSlottedPlacement } from '../../placement/placement.ts';
import { assertMapsAlike, idsOf, ordersOf, type PlacementCase } from './case.ts';

const keyCount = 500;

const listCases: readonly PlacementCase[] = [
  {
    title: 'has the first node of a key’s preference list as its owner',
    run({ placement, keys }) {
      for (const key of keys(keyCount)) assert.equal(placement.nodeFor(key), placement.preferenceList(key, 1)[0]);
    },
  },
  {
    title: 'lists as many nodes as it is asked for, all different, up to all there are',
    run({ placement, keys }) {
      const ids = new Set(idsOf(placement));
      for (const key of keys(keyCount)) {
        for (let count = 1; count <= ids.size; count++) {
          const list = placement.preferenceList(key, count);
          assert.equal(list.length, count);
          assert.equal(new Set(list).size, count);
          for (const id of list) assert.ok(ids.has(id), `${id} is no node of the placement`);
        }
      }
    },
  },
  {
    title: 'makes a longer list by adding to the shorter one',
    minNodes: 2,
    run({ placement, keys }) {
      const sample = keys(keyCount);
      for (const [index, order] of ordersOf(placement, sample).entries()) {
        for (let count = 1; count < order.length; count++) {
          assert.deepEqual(placement.preferenceList(sample[index]!, count), order.slice(0, count));
        }
      }
    },
  },
  {
    title: 'gives lists and nodes that cannot be changed',
    run({ placement, keys }) {
      assert.ok(Object.isFrozen(placement.nodes), 'nodes');
      for (const node of placement.nodes) assert.ok(Object.isFrozen(node), 'a node');
      for (const key of keys(20)) {
        for (let count = 1; count <= placement.nodes.length; count++) {
          assert.ok(Object.isFrozen(placement.preferenceList(key, count)), `a list of ${count}`);
        }
      }
    },
  },
  {
    title: 'visits every zone once before any zone twice',
    needs: ['zones'],
    run({ placement, keys }) {
      // A node of no named zone is a zone of its own.
      const zones = new Map(placement.nodes.map(({ id, zone }) => [id, zone === undefined ? `no zone: ${id}` : zone]));
      const zoneCount = new Set(zones.values()).size;
      for (const order of ordersOf(placement, keys(keyCount))) {
        const first = order.slice(0, zoneCount).map((id) => zones.get(id));
        assert.equal(new Set(first).size, zoneCount, `the first ${zoneCount} nodes are in zones ${first.join(', ')}`);
      }
    },
  },
  {
    title: 'has the nodes it was given, with their weights and zones',
    run({ placement, nodes, supports }) {
      const ascending = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1);
      const given = nodes.map(({ id, weight = 1, zone }) => ({ id, weight, zone })).sort(ascending);
      const placed = placement.nodes.map(({ id, weight, zone }) => ({ id, weight, zone }));
      // If the order of the nodes has a meaning, a kind is free to keep it.
      assert.deepEqual(supports('anyOrder') ? placed : placed.sort(ascending), given);
    },
  },
];

const sameAnswerCases: readonly PlacementCase[] = [
  {
    title: 'answers alike however often and in whatever order it is asked',
    run({ placement, keys }) {
      const sample = keys(keyCount);
      const before = ordersOf(placement, sample);
      for (const [index, key] of sample.toReversed().entries()) {
        placement.preferenceList(key, 1 + (index % placement.nodes.length));
        assert.equal(placement.nodeFor(key), before.at(-1 - index)![0]);
      }
      assert.deepEqual(ordersOf(placement, sample), before);
    },
  },
  {
    title: 'is the same when it is made anew of the same nodes',
    run: ({ placement, create, nodes, keys }) =>
      assertMapsAlike(create(nodes), placement, keys(keyCount), 'made a second time'),
  },
  {
    title: 'maps alike for whatever length of lists it is made',
    run({ placement, create, nodes, keys }) {
      for (const length of [1, 2, nodes.length, nodes.length + 1]) {
        assertMapsAlike(create(nodes, length), placement, keys(keyCount), `made for lists of ${length}`);
      }
    },
  },
];

/** The nodes that the arcs have for a key: those of the last arc that starts at or before it. */
function nodesByArcs(placement: ArcPlacement, arcs: Arcs, key: string, count: number): readonly NodeId[] {
  const bound = isSlottedPlacement(placement) ? placement.slotOf(key) : key;
  const arc = Array.from(arcs.starts).findLastIndex((start) => start <= bound);
  return Array.from({ length: count }, (_, index) => placement.nodes[arcs.rows[arc * count + index]!]!.id);
}

const arcCases: readonly PlacementCase[] = [
  {
    title: 'has arcs from the least bound on, ascending, with the list of every key in them',
    needs: ['arcs'],
    run({ placement, nodes, keys }) {
      assert.ok(isArcPlacement(placement), 'it has no arcs');
      assert.notEqual(placement.slotting, '');
      for (const count of new Set([1, Math.min(2, nodes.length), nodes.length])) {
        const arcs: Arcs = placement.arcs(count);
        const starts = Array.from(arcs.starts);
        assert.equal(arcs.rows.length, starts.length * count, 'there is one row for each arc');
        assert.ok(starts[0] === 0 || starts[0] === '', 'the first arc starts at the least bound');
        for (let arc = 1; arc < starts.length; arc++) assert.ok(starts[arc - 1]! < starts[arc]!, 'arcs ascend');
        for (const key of keys(50)) {
          assert.deepEqual(nodesByArcs(placement, arcs, key, count), placement.preferenceList(key, count));
        }
      }
    },
  },
  {
    title: 'has slots that follow from positions, where it has slots',
    needs: ['arcs'],
    run({ placement, keys }) {
      if (!isSlottedPlacement(placement)) return;
      const { slots } = placement;
      assert.ok(slots >= 1 && slots <= 2 ** 32 && Number.isInteger(Math.log2(slots)), 'a power of two');
      for (const key of keys(keyCount)) {
        const position = placement.positionOf(key);
        assert.ok(Number.isInteger(position) && position >= 0 && position < 2 ** 32, 'a position is of 32 bits');
        const slot = placement.slotOf(key);
        assert.ok(Number.isInteger(slot) && slot >= 0 && slot < slots, 'a slot is below the number of slots');
      }
    },
  },
  {
    title: 'is not taken for a placement that has arcs',
    without: 'arcs',
    run: ({ placement }) => assert.equal(isArcPlacement(placement), false),
  },
];

export const lookupCases: readonly PlacementCase[] = [...listCases, ...sameAnswerCases, ...arcCases];
