import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  argumentsOf,
  first,
  inOrderOfEntries,
  maximum,
  minimum,
  minimumOfEach,
  pickBySize,
  sum,
  sumOfCounts,
  sumOfParts,
  union,
} from '../../../src/redis/commands/merge.ts';

const bytes = (text: string) => Buffer.from(text);

/** Which of three nodes a key lives on. */
const nodeOf = (key: string) => key.length % 3;

/** The commands as one server would run them, on a Map. */
const server = (store: Map<string, string>) => ({
  mget: (keys: readonly string[]) => keys.map((key) => store.get(key) ?? null),
  exists: (keys: readonly string[]) => keys.filter((key) => store.has(key)).length,
  del: (keys: readonly string[]) => keys.filter((key) => store.delete(key)).length,
  mset: (pairs: readonly string[]) => {
    for (let index = 0; index < pairs.length; index += 2) store.set(pairs[index]!, pairs[index + 1]!);
    return 'OK';
  },
});

/** The entries of each node, in the order of the whole. */
function sharesOf(keys: readonly string[]): number[][] {
  const shares = [0, 1, 2].map((node) => keys.flatMap((key, entry) => (nodeOf(key) === node ? [entry] : [])));
  return shares.filter((entries) => entries.length > 0);
}

describe('a command split over nodes and merged', () => {
  // Few keys, so that some come twice, and in any order.
  const key = fc.constantFrom('', 'a', 'b', 'ab', 'ac', 'abc', '__proto__', '{t}');

  it('replies and stores what one server would, duplicates and order included', () => {
    const command = fc.oneof(
      fc.record({ name: fc.constantFrom('mget', 'exists', 'del'), keys: fc.array(key, { minLength: 1 }) }),
      fc.record({ name: fc.constant('mset'), keys: fc.array(key, { minLength: 1 }) }),
    );
    fc.assert(
      fc.property(fc.array(command), (commands) => {
        const whole = new Map<string, string>();
        const stores = [new Map<string, string>(), new Map<string, string>(), new Map<string, string>()];
        for (const [step, { name, keys }] of commands.entries()) {
          const width = name === 'mset' ? 2 : 1;
          const args = width === 1 ? keys : keys.flatMap((each, index) => [each, `${step}.${index}`]);
          const run = (store: Map<string, string>, of: readonly string[]) =>
            server(store)[name as 'mget'](of) as unknown;
          const parts = sharesOf(keys).map((entries) => ({
            entries,
            reply: run(stores[nodeOf(keys[entries[0]!]!)]!, argumentsOf(args, width, entries) as string[]),
          }));
          const merge = name === 'mget' ? inOrderOfEntries : name === 'mset' ? () => parts[0]!.reply : sumOfParts;
          expect(merge(parts, keys.length)).toEqual(run(whole, args));
        }
        expect(new Map(stores.flatMap((store) => [...store]))).toEqual(whole);
      }),
    );
  });

  it('refuses values that do not match their keys rather than shift them', () => {
    expect(() => inOrderOfEntries([{ entries: [0, 1], reply: [null] }], 2)).toThrow('array');
    expect(() => inOrderOfEntries([{ entries: [0], reply: bytes('x') }], 1)).toThrow('array');
  });
});

describe('replies of all nodes', () => {
  it('are added up, or give the smallest or largest', () => {
    expect(sum([1, 0, 41])).toBe(42);
    expect(minimum([3, 1, 2])).toBe(1);
    expect(maximum([3, 1, 2])).toBe(3);
    expect(first([bytes('PONG'), bytes('PONG')])).toEqual(bytes('PONG'));
  });

  it('stay text where the nodes gave text', () => {
    expect(sum(['1', '2'])).toBe('3');
    expect(sum([bytes('1'), bytes('2')])).toEqual(bytes('3'));
  });

  it('are merged place by place: SCRIPT EXISTS, WAITAOF, PUBSUB NUMSUB', () => {
    expect(
      minimumOfEach([
        [1, 1, 0],
        [1, 0, 0],
      ]),
    ).toEqual([1, 0, 0]);
    expect(
      sumOfCounts([
        [bytes('a'), 1, bytes('b'), 0],
        [bytes('a'), 2, bytes('b'), 0],
      ]),
    ).toEqual([bytes('a'), 3, bytes('b'), 0]);
    expect(() => minimumOfEach([[1], [1, 0]])).toThrow('as long as');
  });

  it('are one list without duplicates, by bytes', () => {
    const notText = Buffer.of(0xff, 0xfe);
    const other = Buffer.of(0xff, 0xfd);
    expect(union([[bytes('a'), notText], [], [bytes('a'), Buffer.from(notText), other]])).toEqual([
      bytes('a'),
      notText,
      other,
    ]);
  });

  it('are rejected, and not shown, when they are not what they should be', () => {
    for (const merge of [sum, minimum, maximum]) {
      for (const reply of [null, bytes('secret'), '', 1.5, [1]]) expect(() => merge([1, reply])).toThrow(/integer\.$/);
    }
    expect(() => union([[], bytes('secret')])).toThrow(/^The reply is not an array\.$/);
  });
});

describe('the node of a random key', () => {
  it('is drawn in proportion to its keys', () => {
    const sizes = [1, 0, 3];
    const draws = Array.from({ length: 400 }, (_, index) => pickBySize(sizes, index / 400));
    const count = (node: number) => draws.filter((draw) => draw === node).length;
    expect([count(0), count(1), count(2)]).toEqual([100, 0, 300]);
  });

  it('does not exist where there are no keys, and never is one without keys', () => {
    expect(pickBySize([0, 0], 0.5)).toBeUndefined();
    expect(pickBySize([], 0)).toBeUndefined();
    const size = fc.nat({ max: 2 ** 40 });
    fc.assert(
      fc.property(fc.array(size), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (sizes, random) => {
        const node = pickBySize(sizes, random);
        if (sizes.every((each) => each === 0)) expect(node).toBeUndefined();
        else expect(sizes[node!]).toBeGreaterThan(0);
      }),
    );
  });
});
