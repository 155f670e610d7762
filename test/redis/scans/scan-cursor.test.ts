import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../src/errors/index.ts';
import { nextCursor, parseCursor, runTagOf } from '../../../src/redis/scans/scan-cursor.ts';

const nodeCounts = fc.integer({ min: 1, max: 1_000 });
const runTags = fc.integer({ min: 0, max: 2 ** 24 - 1 });
const serverCursors = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String);

describe('the decimal cursor of a scan over several servers', () => {
  it('leads back to the node and to the cursor of its server', () => {
    fc.assert(
      fc.property(nodeCounts, fc.nat(), serverCursors, runTags, (nodeCount, anyIndex, serverCursor, runTag) => {
        const place = { nodeIndex: anyIndex % nodeCount, serverCursor, runTag };
        const cursor = nextCursor(place, nodeCount);
        expect(cursor).not.toBe('0');
        expect(cursor).toMatch(/^\d+$/);
        expect(parseCursor(cursor, nodeCount)).toEqual(place);
      }),
    );
  });

  it('goes through every page of every node in order, and gives 0 only at the end of the last', () => {
    const pagesOfNode = fc.array(serverCursors, { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(pagesOfNode, { minLength: 1, maxLength: 20 }), (nodes) => {
        const seen: string[] = [];
        let cursor = '0';
        do {
          const { nodeIndex, serverCursor } = parseCursor(cursor, nodes.length);
          const cursors = ['0', ...nodes[nodeIndex]!];
          // Servers may give a cursor twice; this simulation finds its page by the count of pages seen of the node.
          const page = seen.filter((entry) => entry.startsWith(`${nodeIndex}/`)).length;
          expect(serverCursor).toBe(cursors[page]);
          seen.push(`${nodeIndex}/${page}`);
          cursor = nextCursor({ nodeIndex, serverCursor: cursors[page + 1] ?? '0', runTag: page }, nodes.length);
        } while (cursor !== '0');
        expect(seen).toEqual(nodes.flatMap((pages, index) => ['0', ...pages].map((_, page) => `${index}/${page}`)));
      }),
    );
  });

  it('knows the run of a server again, and takes no other for it', () => {
    const runs = ['7d2a', 'a7d2', '0'.repeat(40), `${'0'.repeat(39)}1`, `1${'0'.repeat(39)}`, 'untold-k3j4h5'];
    expect(new Set(runs.map(runTagOf)).size).toBe(runs.length);
    for (const run of runs) {
      const cursor = nextCursor({ nodeIndex: 2, serverCursor: '9', runTag: runTagOf(run) }, 3);
      expect(parseCursor(cursor, 3).runTag).toBe(runTagOf(run));
    }
  });

  it('is a safe integer for 8 nodes of 67 million keys each', () => {
    const cursor = nextCursor({ nodeIndex: 7, serverCursor: `${2 ** 26 - 1}`, runTag: 2 ** 24 - 1 }, 8);
    expect(Number.isSafeInteger(Number(cursor))).toBe(true);
  });

  it('may be given as a number, a bigint or as bytes', () => {
    const number = 3 * (2 * 2 ** 24 + 5) + 1;
    for (const cursor of [`${number}`, number, BigInt(number), Buffer.from(`${number}`)]) {
      expect(parseCursor(cursor, 3)).toEqual({ nodeIndex: 1, serverCursor: '2', runTag: 5 });
    }
  });

  it.each([
    undefined,
    null,
    '',
    ' 1',
    '-1',
    '+1',
    '1.5',
    '1e3',
    'abc',
    -1,
    1.5,
    Number.NaN,
    2 ** 53,
    1e30,
    {},
    [1],
    ['1'],
    true,
  ])('refuses %j', (cursor) => {
    expect(() => parseCursor(cursor, 3)).toThrow(InvalidArgumentError);
  });

  it('refuses a number that no server could have given, however long', () => {
    const limit = 2n ** 64n * 2n ** 24n * 3n;
    expect(() => parseCursor(`${limit}`, 3)).toThrow(InvalidArgumentError);
    expect(parseCursor(`${limit - 1n}`, 3)).toEqual({
      nodeIndex: 2,
      serverCursor: `${2n ** 64n - 1n}`,
      runTag: 2 ** 24 - 1,
    });
    expect(() => parseCursor('9'.repeat(1_000_000), 3)).toThrow(InvalidArgumentError);
  });
});
