/** Cases about calls that cannot be answered. Nothing is clamped and nothing is guessed. */

import assert from 'node:assert/strict';
import type { NodeInput } from '../../placement/node.ts';
import { isArcPlacement } from '../../placement/placement.ts';
import { assertMapsAlike, assertThrowsCode, type PlacementCase, removableIds } from './case.ts';

const badWeights = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', null, true] as readonly number[];

const badNodes: readonly (readonly [what: string, node: unknown])[] = [
  ['no object', 'kiwi'],
  ['null', null],
  ['no id', {}],
  ['an empty id', { id: '' }],
  ['an id that is no string', { id: 7 }],
  ['an id with a lone surrogate', { id: 'a\ud800' }],
  ['an unknown field', { id: 'lemon', wieght: 2 }],
  ...badWeights.map((weight) => [`a weight of ${weight} (${typeof weight})`, { id: 'lemon', weight }] as const),
];

const argumentCases: readonly PlacementCase[] = [
  {
    title: 'refuses a list of no nodes, of more than there are, or of a part of one',
    run({ placement }) {
      const counts = [0, -1, 0.5, placement.nodes.length + 1, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined];
      for (const count of counts as readonly number[]) {
        const call = () => placement.preferenceList('secret key', count);
        assertThrowsCode(call, 'ERR_INVALID_ARGUMENT', `count ${count}`, /count$/);
        assert.throws(call, ({ message }: Error) => !message.includes('secret'), 'the message must not hold the key');
        if (!isArcPlacement(placement)) continue;
        assertThrowsCode(() => placement.arcs(count), 'ERR_INVALID_ARGUMENT', `arcs of ${count}`, /count$/);
      }
    },
  },
  {
    title: 'refuses to change or remove a node that is not there',
    run({ placement, newcomer }) {
      for (const id of [newcomer.id, '', '__proto__', undefined, 0] as readonly string[]) {
        assertThrowsCode(() => placement.withoutNode(id), 'ERR_INVALID_ARGUMENT', 'withoutNode', /id$/);
        assertThrowsCode(() => placement.withWeight(id, 1), 'ERR_INVALID_ARGUMENT', 'withWeight', /id$/);
      }
    },
  },
  {
    title: 'refuses a node whose id is taken, when it is made and when one joins',
    run({ placement, nodes, create }) {
      for (const { id } of nodes) {
        assertThrowsCode(() => placement.withNode({ id }), 'ERR_INVALID_ARGUMENT', `a second ${id}`, /id$/);
        assertThrowsCode(() => create([...nodes, { id }]), 'ERR_INVALID_ARGUMENT', `two of ${id}`, /id$/);
      }
    },
  },
  {
    title: 'refuses what is no node, when it is made and when one joins',
    run({ placement, nodes, create }) {
      for (const [what, node] of badNodes) {
        assertThrowsCode(() => placement.withNode(node as NodeInput), 'ERR_INVALID_ARGUMENT', what, /node/);
        assertThrowsCode(() => create([...nodes, node as NodeInput]), 'ERR_INVALID_ARGUMENT', what, /node/);
      }
    },
  },
  {
    title: 'refuses a weight that is not a finite number above 0',
    run({ placement }) {
      for (const weight of badWeights) {
        const call = () => placement.withWeight(placement.nodes[0]!.id, weight);
        assertThrowsCode(call, 'ERR_INVALID_ARGUMENT', `a weight of ${weight}`, /weight$/);
      }
    },
  },
];

const emptyCases: readonly PlacementCase[] = [
  {
    title: 'has no node for any key while it is empty, and says so by an error',
    needs: ['noNodes'],
    run({ create, restore }) {
      const empty = create([]);
      assert.deepEqual(empty.nodes, []);
      assert.equal(empty.shares().size, 0);
      assert.equal(restore(JSON.stringify(empty.toSnapshot())).checksum, empty.checksum);
      for (const placement of [empty, restore(empty.toSnapshot())]) {
        assertThrowsCode(() => placement.nodeFor('key'), 'ERR_NO_NODES', 'nodeFor');
        for (const count of [0, 1]) {
          assertThrowsCode(() => placement.preferenceList('key', count), 'ERR_NO_NODES', `a list of ${count}`);
          if (isArcPlacement(placement)) assertThrowsCode(() => placement.arcs(count), 'ERR_NO_NODES', 'arcs');
        }
      }
    },
  },
  {
    title: 'can lose its last node and be given the first one again',
    needs: ['noNodes'],
    run(context) {
      const { placement, newcomer, create, keys } = context;
      let empty = placement;
      while (empty.nodes.length > 0) empty = empty.withoutNode(removableIds({ ...context, placement: empty }).at(-1)!);
      assertThrowsCode(() => empty.nodeFor('key'), 'ERR_NO_NODES', 'nodeFor');
      assertMapsAlike(empty.withNode(newcomer), create([newcomer]), keys(50), 'the first node');
    },
  },
];

export const errorCases: readonly PlacementCase[] = [...argumentCases, ...emptyCases];
