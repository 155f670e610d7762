/** Cases about keys and ids that come from strangers. */

import assert from 'node:assert/strict';
import type { NodeInput } from '../../placement/node.ts';
import type { Placement } from '../../placement/placement.ts';
import { assertMapsAlike, assertThrowsCode, idsOf, type PlacementCase } from './case.ts';

/** Keys that a program may mistake for a number, a property, a pattern, an end of text or no text at all. */
const awkwardKeys = [
  ...['', ' ', '0', '-1', '1e3', 'NaN', 'null', 'undefined', 'true'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length'],
  ...['\0', 'a\0b', 'a\nb', '\u007f', '\u0080', 'é', 'e\u0301', '\u2028', '\ufeff', '\uffff'],
  ...['😀', '👩‍👩‍👧', 'пример', '例え'],
  ...['\ud800', '\udc00', 'a\ud83d', '\ude00b', '\ufffd'],
  ...['{', '}', '{}', '{}a', '}{', '{tag}', 'a{tag}b', '{{tag}}', '{tag', 'tag}', '*', '%s', '$&', '\\'],
  ...['a'.repeat(15), 'a'.repeat(16), 'a'.repeat(63), 'a'.repeat(64), 'é'.repeat(5_462)],
];

/** Ids that a program may mistake for a property, a number, a label of two parts, or a part of another id. */
const awkwardIds = [
  ...['__proto__', 'constructor', 'toString', 'valueOf', '0', '1', '12', '2x', 'x', ' ', 'a b', 'a', 'aa'],
  ...['A', 'redis://user@10.0.0.1:6379/0', 'a-0', 'a:1', 'é', 'e\u0301', '😀', '\0', '{a}', 'n'.repeat(300)],
];

/** The same text as the engine may have it in memory: flat, joined of pieces, cut out of a longer one, of two bytes. */
function formsOf(text: string): string[] {
  const middle = text.length >>> 1;
  return [
    `${text.slice(0, middle)}${text.slice(middle)}`,
    [...Array.from({ length: text.length }, (_, index) => text[index])].join(''),
    `prefix of it: ${text}, and more`.slice(14, 14 + text.length),
    `\u0416${text}`.slice(1),
    JSON.parse(JSON.stringify(text)) as string,
  ];
}

function assertPlaces(placement: Placement, key: string, what: string): void {
  const order = placement.preferenceList(key, placement.nodes.length);
  assert.deepEqual([...order].sort(), idsOf(placement).sort(), what);
  assert.equal(placement.nodeFor(key), order[0], what);
}

const textCases: readonly PlacementCase[] = [
  {
    title: 'places every string, the empty one and lone surrogates too',
    run({ placement }) {
      for (const [index, key] of awkwardKeys.entries()) assertPlaces(placement, key, `awkward key ${index}`);
    },
  },
  {
    title: 'places a key of 1 MB',
    run: ({ placement }) => assertPlaces(placement, 'k'.repeat(2 ** 20), 'a key of 1 MB'),
  },
  {
    title: 'places a text alike however it is kept in memory',
    run({ placement, keys }) {
      for (const key of [...keys(50), ...awkwardKeys]) {
        for (const form of formsOf(key)) assert.equal(placement.nodeFor(form), placement.nodeFor(key));
      }
    },
  },
  {
    title: 'refuses a key that is no string, by an error that names it',
    run({ placement }) {
      for (const key of [undefined, null, 7, true, {}, ['a'], Symbol('a'), new String('a')]) {
        const what = `a key of type ${typeof key}`;
        assertThrowsCode(() => placement.nodeFor(key as string), 'ERR_INVALID_ARGUMENT', what, /key/i);
        assertThrowsCode(() => placement.preferenceList(key as string, 1), 'ERR_INVALID_ARGUMENT', what, /key/i);
      }
    },
  },
  {
    title: 'places keys of one hash tag alike: the text between the first { and the next }',
    needs: ['hashTags'],
    minNodes: 2,
    run({ placement, keys }) {
      for (const tag of keys(200)) {
        for (const key of [`{${tag}}`, `{${tag}}:mail`, `name:{${tag}}`, `a{${tag}}b{c}`, `}{${tag}}`]) {
          assert.equal(placement.nodeFor(key), placement.nodeFor(tag));
        }
      }
    },
  },
  {
    title: 'places keys by the whole of their text where they have no hash tag: none, empty, or left open',
    needs: ['hashTags', 'balance'],
    minNodes: 2,
    run({ placement, keys }) {
      for (const frame of ['{}', '{}{tag}', '{', '}']) {
        const owners = new Set(keys(200).map((key) => placement.nodeFor(`${frame}${key}`)));
        assert.ok(owners.size > 1, `200 keys that begin with ${frame} are all on one node`);
      }
    },
  },
];

const idCases: readonly PlacementCase[] = [
  {
    title: 'takes any id, those of object properties and those that look alike too, and keeps them apart',
    needs: ['anyId'],
    run({ create, restore, keys, supports }) {
      const nodes: readonly NodeInput[] = awkwardIds.map((id) => ({ id }));
      const placement = create(nodes);
      const shares = placement.shares();
      assert.deepEqual(new Set(idsOf(placement)), new Set(awkwardIds));
      assert.deepEqual(new Set(shares.keys()), new Set(awkwardIds));
      const sample = keys(2_000);
      if (supports('balance')) {
        assert.deepEqual(new Set(sample.map((key) => placement.nodeFor(key))), new Set(awkwardIds));
      }
      assertMapsAlike(restore(JSON.stringify(placement.toSnapshot())), placement, sample.slice(0, 100), 'restored');
    },
  },
  {
    title: 'takes any zone name, and keeps zones of such names apart',
    needs: ['zones'],
    run({ create, keys }) {
      const zones = ['__proto__', 'constructor', '', '0', 'a b'];
      const placement = create(
        zones.flatMap((zone, index) => [0, 1].map((copy) => ({ id: `${index}-${copy}`, zone }))),
      );
      for (const key of keys(100)) {
        const first = placement.preferenceList(key, zones.length).map((id) => id.slice(0, 1));
        assert.equal(new Set(first).size, zones.length);
      }
    },
  },
];

export const keyCases: readonly PlacementCase[] = [...textCases, ...idCases];
