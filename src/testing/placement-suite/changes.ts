/** Cases about nodes that join, leave and change their weight. */

import assert from 'node:assert/strict';
import type { NodeId } from '../../placement/node.ts';
import type { Placement } from '../../placement/placement.ts';
import {
  assertMapsAlike,
  assertThrowsCode,
  idsOf,
  ordersOf,
  type PlacementCase,
  type PlacementContext,
  removableIds,
} from './case.ts';

const keyCount = 1_000;

/** Replica sets are compared up to this many nodes. */
const longestReplicas = 4;

/** One change, the node it is about, and whether that node may take keys or give them. */
interface Change {
  readonly name: string;
  readonly id: NodeId;
  readonly direction: 'takes' | 'gives';
  readonly after: Placement;
}

function joins({ placement, newcomer }: PlacementContext): Change[] {
  return [{ name: 'a join', id: newcomer.id, direction: 'takes', after: placement.withNode(newcomer) }];
}

function leaves(context: PlacementContext): Change[] {
  return removableIds(context).map((id) => ({
    name: `${id} leaves`,
    id,
    direction: 'gives',
    after: context.placement.withoutNode(id),
  }));
}

function reweighings({ placement }: PlacementContext): Change[] {
  // Every third node is enough of ten.
  const some = placement.nodes.filter((_, index) => index % 3 === 0);
  return some.flatMap(({ id, weight }) =>
    [weight * 2, weight * 1.25, weight / 2].map((other) => ({
      name: `${id} changes its weight from ${weight} to ${other}`,
      id,
      direction: other > weight ? 'takes' : 'gives',
      after: placement.withWeight(id, other),
    })),
  );
}

/** Every key that moves goes to the node that takes, or comes from the one that gives. */
function assertMovesOnlyNeeded({ placement, keys, needlessMoves }: PlacementContext, changes: readonly Change[]): void {
  const sample = keys(keyCount);
  const ownersBefore = sample.map((key) => placement.nodeFor(key));
  for (const { name, id, direction, after } of changes) {
    let needless = 0;
    for (const [index, key] of sample.entries()) {
      const [before, now] = [ownersBefore[index]!, after.nodeFor(key)];
      if (before !== now && (direction === 'takes' ? now : before) !== id) needless++;
    }
    const allowed = Math.floor(needlessMoves * keyCount);
    assert.ok(needless <= allowed, `${name}: ${needless} of ${keyCount} keys move that need not (allowed: ${allowed})`);
  }
}

/** Compares the first nodes of a key, one, two and so on: only the one node enters (or leaves), and at most one makes room. */
function assertReplicasMoveLittle({ placement, keys }: PlacementContext, changes: readonly Change[]): void {
  const sample = keys(keyCount / 2);
  const ordersBefore = ordersOf(placement, sample);
  for (const { name, id, direction, after } of changes) {
    const ordersAfter = ordersOf(after, sample);
    for (const [index, order] of ordersBefore.entries()) {
      const now = ordersAfter[index]!;
      for (let count = 1; count <= Math.min(order.length, now.length, longestReplicas); count++) {
        const [had, has] = [order.slice(0, count), now.slice(0, count)];
        const entering = has.filter((node) => !had.includes(node));
        const leaving = had.filter((node) => !has.includes(node));
        const own = direction === 'takes' ? entering : leaving;
        assert.ok(
          entering.length <= 1 && own.every((node) => node === id),
          `${name}: of the first ${count} nodes of key ${index}, [${leaving}] leave and [${entering}] enter`,
        );
      }
    }
  }
}

const moveCases: readonly PlacementCase[] = [
  {
    title: 'moves keys only to a node that joins',
    run: (context) => assertMovesOnlyNeeded(context, joins(context)),
  },
  {
    title: 'moves only the keys of a node that leaves',
    minNodes: 2,
    run: (context) => assertMovesOnlyNeeded(context, leaves(context)),
  },
  {
    title: 'moves keys only to a node whose weight goes up, and only from one whose weight goes down',
    needs: ['weights'],
    run: (context) => assertMovesOnlyNeeded(context, reweighings(context)),
  },
  {
    title: 'lets a node that joins into a key’s first nodes, and at most one out, and changes no other',
    needs: ['minimalReplicas'],
    run: (context) => assertReplicasMoveLittle(context, joins(context)),
  },
  {
    title: 'lets a node that leaves out of a key’s first nodes, and at most one in, and changes no other',
    needs: ['minimalReplicas'],
    minNodes: 2,
    run: (context) => assertReplicasMoveLittle(context, leaves(context)),
  },
  {
    title: 'lets a node of a new weight into a key’s first nodes, or out of them, and changes one other at most',
    needs: ['minimalReplicas', 'weights'],
    minNodes: 2,
    run: (context) => assertReplicasMoveLittle(context, reweighings(context)),
  },
];

const valueCases: readonly PlacementCase[] = [
  {
    title: 'leaves a placement as it was when another is made of it',
    run(context) {
      const { placement, keys } = context;
      const sample = keys(200);
      const before = {
        nodes: structuredClone(placement.nodes),
        checksum: placement.checksum,
        orders: structuredClone(ordersOf(placement, sample)),
        shares: [...placement.shares()],
        snapshot: JSON.stringify(placement.toSnapshot()),
      };
      const changes = [joins, ...(placement.nodes.length > 1 ? [leaves] : []), ...weighed(context)];
      for (const change of changes) for (const { after } of change(context)) assert.notEqual(after, placement);
      assert.deepEqual(structuredClone(placement.nodes), before.nodes);
      assert.equal(placement.checksum, before.checksum);
      assert.deepEqual(ordersOf(placement, sample), before.orders);
      assert.deepEqual([...placement.shares()], before.shares);
      assert.equal(JSON.stringify(placement.toSnapshot()), before.snapshot);
    },
  },
  {
    title: 'has the members it was told of after a change',
    run(context) {
      const { placement, newcomer } = context;
      const ids = idsOf(placement);
      const joined = placement.withNode(newcomer);
      const { weight = 1, zone } = newcomer;
      const found = joined.nodes.find(({ id }) => id === newcomer.id);
      assert.deepEqual(found && { ...found }, { id: newcomer.id, weight, zone });
      assert.deepEqual(idsOf(joined).sort(), [...ids, newcomer.id].sort());
      for (const id of placement.nodes.length > 1 ? removableIds(context) : []) {
        assert.deepEqual(
          idsOf(placement.withoutNode(id)),
          ids.filter((other) => other !== id),
        );
      }
      for (const { id, after } of weighed(context).flatMap((change) => change(context))) {
        assert.deepEqual(idsOf(after), ids);
        for (const [index, node] of after.nodes.entries()) {
          const { weight: before } = placement.nodes[index]!;
          assert.equal(node.weight === before, node.id !== id, `the weight of ${node.id} when that of ${id} changes`);
        }
      }
    },
  },
];

const weighed = ({ supports }: PlacementContext) => (supports('weights') ? [reweighings] : []);

const historyCases: readonly PlacementCase[] = [
  {
    title: 'does not depend on the order in which the nodes are given',
    needs: ['anyOrder'],
    minNodes: 2,
    run({ placement, create, nodes, keys }) {
      const sample = keys(200);
      const byId = [...nodes].sort((a, b) => (a.id < b.id ? -1 : 1));
      const orders = { reversed: nodes.toReversed(), ascending: byId, descending: byId.toReversed() };
      for (const [name, order] of Object.entries(orders)) assertMapsAlike(create(order), placement, sample, name);
    },
  },
  {
    title: 'is the same whether its nodes were there from the start or joined one by one',
    needs: ['historyFree'],
    minNodes: 2,
    run({ placement, create, nodes, keys, supports }) {
      const sample = keys(200);
      const orders = supports('anyOrder') ? [nodes, nodes.toReversed()] : [nodes];
      for (const [first, ...others] of orders) {
        const grown = others.reduce<Placement>((before, node) => before.withNode(node), create([first!]));
        assertMapsAlike(grown, placement, sample, 'grown node by node');
      }
    },
  },
  {
    title: 'is the same again after a node has joined and left',
    needs: ['historyFree'],
    run({ placement, newcomer, keys }) {
      const back = placement.withNode(newcomer).withoutNode(newcomer.id);
      assertMapsAlike(back, placement, keys(200), 'after a join and a leave');
    },
  },
  {
    title: 'is the same again after a node has left and come back',
    needs: ['historyFree'],
    minNodes: 2,
    run(context) {
      const { placement, nodes, keys } = context;
      for (const id of removableIds(context)) {
        const back = placement.withoutNode(id).withNode(nodes.find((node) => node.id === id)!);
        assertMapsAlike(back, placement, keys(200), `${id} left and came back`);
      }
    },
  },
  {
    title: 'is the same again after a weight has changed and changed back',
    needs: ['weights', 'historyFree'],
    run(context) {
      for (const { name, id, after } of reweighings(context)) {
        const { weight } = context.placement.nodes.find((node) => node.id === id)!;
        assertMapsAlike(after.withWeight(id, weight), context.placement, context.keys(100), `${name} and back`);
      }
    },
  },
];

const refusalCases: readonly PlacementCase[] = [
  {
    title: 'refuses weights that it cannot give, instead of leaving them out',
    without: 'weights',
    run({ placement, newcomer }) {
      const { id } = placement.nodes[0]!;
      assertThrowsCode(() => placement.withWeight(id, 2), 'ERR_INVALID_ARGUMENT', 'withWeight', /weight$/);
      const heavy = { ...newcomer, weight: 2 };
      assertThrowsCode(() => placement.withNode(heavy), 'ERR_INVALID_ARGUMENT', 'withNode', /weight$/);
    },
  },
  {
    title: 'refuses to let go of a node that it cannot let go of',
    without: 'anyRemoval',
    minNodes: 2,
    run({ placement }) {
      for (const id of idsOf(placement).slice(0, -1)) {
        assertThrowsCode(() => placement.withoutNode(id), 'ERR_INVALID_ARGUMENT', `withoutNode of ${id}`);
      }
    },
  },
];

export const changeCases: readonly PlacementCase[] = [...moveCases, ...valueCases, ...historyCases, ...refusalCases];
