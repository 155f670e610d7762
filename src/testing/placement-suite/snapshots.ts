/** Cases about snapshots and checksums. */

import assert from 'node:assert/strict';
import type { Placement } from '../../placement/placement.ts';
import {
  assertMapsAlike,
  assertThrowsCode,
  ordersOf,
  type PlacementCase,
  type PlacementContext,
  removableIds,
} from './case.ts';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const snapshotOf = (placement: Placement) =>
  JSON.parse(JSON.stringify(placement.toSnapshot())) as { [n: string]: Json };

/** The same with one value changed, for each value in it, and the path of that value. */
function* alterations(json: Json, path = 'snapshot'): Generator<readonly [path: string, altered: Json]> {
  if (Array.isArray(json)) {
    for (const [index, item] of json.entries()) {
      yield [`${path} without [${index}]`, json.toSpliced(index, 1)];
      for (const [at, altered] of alterations(item, `${path}[${index}]`)) yield [at, json.with(index, altered)];
    }
  } else if (typeof json === 'object' && json !== null) {
    for (const [name, value] of Object.entries(json)) {
      for (const [at, altered] of alterations(value, `${path}.${name}`)) yield [at, { ...json, [name]: altered }];
    }
  } else {
    yield [path, alteredValue(json)];
  }
}

function alteredValue(value: null | boolean | number | string): Json {
  if (typeof value === 'string') return `${value}x`;
  return typeof value === 'number' ? value * 2 + 1 : value === null ? 'x' : !value;
}

/** Placements that differ from the one under test in one thing each. */
function variants({ placement, newcomer, nodes, create, supports, ...rest }: PlacementContext): Placement[] {
  const context = { placement, newcomer, nodes, create, supports, ...rest };
  const isAlone = nodes.length === 1;
  const heavier = supports('weights')
    ? placement.nodes.map(({ id, weight }) => placement.withWeight(id, weight * 2))
    : [];
  const zoned = nodes.map((_, index) => create(nodes.with(index, { ...nodes[index]!, zone: 'another' })));
  return [
    placement,
    create(nodes),
    placement.withNode(newcomer),
    placement.withNode({ ...newcomer, id: `${newcomer.id}2` }),
    ...(isAlone ? [] : removableIds(context).map((id) => placement.withoutNode(id))),
    ...heavier,
    ...(supports('zones') ? zoned : []),
    ...(isAlone ? [] : [create(nodes.toReversed()), create(nodes.slice(1))]),
  ];
}

const roundTripCases: readonly PlacementCase[] = [
  {
    title: 'comes back from its snapshot with the same mapping, as an object and through JSON text',
    run({ placement, restore, keys }) {
      const snapshot = placement.toSnapshot();
      assertMapsAlike(restore(snapshot), placement, keys(500), 'from the object');
      assertMapsAlike(restore(JSON.stringify(snapshot)), placement, keys(500), 'from the text');
      const again = restore(JSON.parse(JSON.stringify(snapshot)));
      assert.deepEqual([...again.shares()], [...placement.shares()]);
      assert.equal(JSON.stringify(again.toSnapshot()), JSON.stringify(snapshot));
    },
  },
  {
    title: 'has a snapshot of plain JSON that says what it is, and its checksum',
    run({ placement }) {
      const snapshot = placement.toSnapshot();
      assert.deepEqual(snapshotOf(placement), snapshot);
      assert.equal(snapshot.version, 1);
      assert.match(snapshot.format, /^shardring\//);
      assert.match(snapshot.placement, /\/\d+$/, 'a kind and the version of its mapping');
      assert.equal(snapshot.checksum, placement.checksum);
      assert.match(placement.checksum, /^[0-9a-f]{16}$/);
      assert.equal(snapshot.nodes.length, placement.nodes.length);
    },
  },
  {
    title: 'changes on from a snapshot as if nothing had been in between',
    run(context) {
      const { placement, restore, newcomer, keys } = context;
      const restored = restore(placement.toSnapshot());
      assertMapsAlike(restored.withNode(newcomer), placement.withNode(newcomer), keys(100), 'a join');
      for (const id of placement.nodes.length > 1 ? removableIds(context) : []) {
        assertMapsAlike(restored.withoutNode(id), placement.withoutNode(id), keys(50), `${id} leaves`);
      }
    },
  },
  {
    title: 'is not changed by what is done to a snapshot that it gave, or was made from',
    run({ placement, restore, keys }) {
      const given = snapshotOf(placement) as { nodes: { id: string }[] };
      const restored = restore(given);
      for (const node of given.nodes) node.id = 'altered';
      assertMapsAlike(restored, placement, keys(50), 'what it was made from');
      const taken = placement.toSnapshot();
      const text = JSON.stringify(taken);
      // A frozen object cannot be changed, which is as good.
      Reflect.set(taken, 'checksum', 'altered');
      Reflect.set(taken.nodes[0]!, 'id', 'altered');
      assert.equal(JSON.stringify(placement.toSnapshot()), text);
    },
  },
];

const refusalCases: readonly PlacementCase[] = [
  {
    title: 'refuses a snapshot in which any one value was altered, or a node left out',
    run({ placement, restore }) {
      const snapshot = snapshotOf(placement);
      for (const [path, altered] of alterations(snapshot)) {
        assertThrowsCode(() => restore(altered), 'ERR_SNAPSHOT', path);
        assertThrowsCode(() => restore(JSON.stringify(altered)), 'ERR_SNAPSHOT', `${path}, as text`);
      }
    },
  },
  {
    title: 'refuses a snapshot that lacks a field or has one too many',
    run({ placement, restore }) {
      const snapshot = snapshotOf(placement);
      for (const name of Object.keys(snapshot)) {
        const { [name]: _, ...rest } = snapshot;
        assertThrowsCode(() => restore(rest), 'ERR_SNAPSHOT', `without ${name}`);
      }
      assertThrowsCode(() => restore({ ...snapshot, another: 1 }), 'ERR_SNAPSHOT', 'with a field of another');
    },
  },
  {
    title: 'refuses what is no snapshot',
    run({ restore }) {
      for (const input of [undefined, null, 7, true, [], {}, '', '{', 'null', '[]', 'a']) {
        assertThrowsCode(() => restore(input), 'ERR_SNAPSHOT', JSON.stringify(input) ?? 'undefined');
      }
    },
  },
];

const checksumCases: readonly PlacementCase[] = [
  {
    title: 'has one checksum for one mapping, and another for another',
    run(context) {
      const sample = context.keys(300);
      const tried = variants(context).map((placement) => ({
        checksum: placement.checksum,
        mapping: JSON.stringify(ordersOf(placement, sample)),
      }));
      for (const [index, one] of tried.entries()) {
        for (const other of tried.slice(0, index)) {
          if (one.checksum === other.checksum) assert.equal(one.mapping, other.mapping, 'one checksum, two mappings');
        }
      }
      const [first, again, ...others] = tried;
      assert.equal(again!.checksum, first!.checksum);
      const different = others.filter(({ mapping }) => mapping !== first!.mapping);
      assert.ok(different.length >= 2, 'another node is another mapping');
      for (const { checksum } of different) assert.notEqual(checksum, first!.checksum);
    },
  },
];

export const snapshotCases: readonly PlacementCase[] = [...roundTripCases, ...refusalCases, ...checksumCases];
