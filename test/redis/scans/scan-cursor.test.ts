import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, NodesChangedError } from '../../../src/errors/index.ts';
import { nextCursor, parseCursor, tagOf } from '../../../src/redis/scans/scan-cursor.ts';

const nodeCounts = fc.integer({ min: 1, max: 1_000 });
const tags = fc.integer({ min: 0, max: 2 ** 12 - 1 });
const serverCursors = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String);
const of = (nodeCount: number, placementTag = 7) => ({ nodeCount, placementTag });

describe('the decimal cursor of a scan over several servers', () => {
  it('leads back to the node and to the cursor of its server', () => {
    fc.assert(
      fc.property(nodeCounts, fc.nat(), serverCursors, tags, tags, (nodeCount, anyIndex, serverCursor, runTag, tag) => {
        const place = { nodeIndex: anyIndex % nodeCount, serverCursor, runTag };
        const cursor = nextCursor(place, of(nodeCount, tag));
        expect(cursor).not.toBe('0');
        expect(cursor).toMatch(/^\d+$/);
        expect(parseCursor(cursor, of(nodeCount, tag))).toEqual(place);
      }),
    );
  });

  it('goes through every page of every node in order, and gives 0 only at the end of the last', () => {
    const pagesOfNode = fc.array(serverCursors, { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(pagesOfNode, { minLength: 1, maxLength: 20 }), tags, (nodes, tag) => {
        const seen: string[] = [];
        let cursor = '0';
        do {
          const { nodeIndex, serverCursor } = parseCursor(cursor, of(nodes.length, tag));
          const cursors = ['0', ...nodes[nodeIndex]!];
          // Servers may give a cursor twice; this simulation finds its page by the count of pages seen of the node.
          const page = seen.filter((entry) => entry.startsWith(`${nodeIndex}/`)).length;
          expect(serverCursor).toBe(cursors[page]);
          seen.push(`${nodeIndex}/${page}`);
          const place = { nodeIndex, serverCursor: cursors[page + 1] ?? '0', runTag: page };
          cursor = nextCursor(place, of(nodes.length, tag));
        } while (cursor !== '0');
        expect(seen).toEqual(nodes.flatMap((pages, index) => ['0', ...pages].map((_, page) => `${index}/${page}`)));
      }),
    );
  });

  it('is refused by every other placement of as many nodes, wherever the scan stands', () => {
    const places = fc.record({
      nodeIndex: fc.nat(998),
      serverCursor: fc.option(serverCursors, { nil: '0' }),
      runTag: tags,
    });
    fc.assert(
      fc.property(places, tags, tags, (place, tag, other) => {
        fc.pre(tag !== other);
        const cursor = nextCursor(place, of(1_000, tag));
        expect(() => parseCursor(cursor, of(1_000, other))).toThrow(NodesChangedError);
        expect(() => parseCursor(cursor, of(1_000, other))).toThrow(
          expect.objectContaining({ code: 'ERR_NODES_CHANGED', retryable: false }),
        );
      }),
    );
  });

  it('is refused after nodes came or went, but for one change in some thousands', () => {
    let taken = 0;
    for (let nodeCount = 1; nodeCount <= 100; nodeCount++) {
      const before = of(nodeCount, tagOf(`placement of ${nodeCount}`));
      for (const otherCount of [nodeCount + 1, nodeCount + 2]) {
        const after = of(otherCount, tagOf(`placement of ${otherCount}`));
        for (let nodeIndex = 0; nodeIndex < nodeCount; nodeIndex++) {
          for (const serverCursor of ['0', `${nodeIndex * 7_919 + 1}`]) {
            const cursor = nextCursor({ nodeIndex, serverCursor, runTag: nodeIndex % 4_096 }, before);
            try {
              if (cursor !== '0') parseCursor(cursor, after);
              taken += cursor === '0' ? 0 : 1;
            } catch (error) {
              expect(error).toBeInstanceOf(NodesChangedError);
            }
          }
        }
      }
    }
    expect(taken).toBeLessThan(40); // Of 20,000.
  });

  it('begins anew with 0 whatever nodes there are', () => {
    for (const cursor of ['0', 0, '000', Buffer.from('0')]) {
      expect(parseCursor(cursor, of(3))).toEqual({ nodeIndex: 0, serverCursor: '0', runTag: 0 });
    }
  });

  it('knows the run of a server again, and takes no other for it', () => {
    const runs = ['7d2a', 'a7d2', '0'.repeat(40), `${'0'.repeat(39)}1`, `1${'0'.repeat(39)}`, 'untold-k3j4h5'];
    expect(new Set(runs.map(tagOf)).size).toBe(runs.length);
    for (const run of runs) {
      const cursor = nextCursor({ nodeIndex: 2, serverCursor: '9', runTag: tagOf(run) }, of(3));
      expect(parseCursor(cursor, of(3)).runTag).toBe(tagOf(run));
    }
  });

  it('is a safe integer for 8 nodes of 67 million keys each', () => {
    const place = { nodeIndex: 7, serverCursor: `${2 ** 26 - 1}`, runTag: 2 ** 12 - 1 };
    expect(Number.isSafeInteger(Number(nextCursor(place, of(8, 2 ** 12 - 1))))).toBe(true);
  });

  it('may be given as a number, a bigint or as bytes', () => {
    const number = 3 * ((2 * 2 ** 12 + 5) * 2 ** 12 + 7) + 1;
    for (const cursor of [`${number}`, number, BigInt(number), Buffer.from(`${number}`)]) {
      expect(parseCursor(cursor, of(3))).toEqual({ nodeIndex: 1, serverCursor: '2', runTag: 5 });
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
    expect(() => parseCursor(cursor, of(3))).toThrow(InvalidArgumentError);
  });

  it('refuses a number that no server could have given, however long', () => {
    const limit = 2n ** 64n * 2n ** 24n * 3n;
    expect(() => parseCursor(`${limit}`, of(3, 0))).toThrow(InvalidArgumentError);
    expect(parseCursor(`${limit - 1n}`, of(3, 2 ** 12 - 1))).toEqual({
      nodeIndex: 2,
      serverCursor: `${2n ** 64n - 1n}`,
      runTag: 2 ** 12 - 1,
    });
    expect(() => parseCursor('9'.repeat(1_000_000), of(3))).toThrow(InvalidArgumentError);
  });
});
