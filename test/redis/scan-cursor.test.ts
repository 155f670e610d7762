import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/errors/index.ts';
import { nextCursor, parseCursor } from '../../src/redis/scan-cursor.ts';

const nodeCounts = fc.integer({ min: 1, max: 1_000 });
const serverCursors = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String);

describe('the decimal cursor of a scan over several servers', () => {
  it('leads back to the node and to the cursor of its server', () => {
    fc.assert(
      fc.property(nodeCounts, fc.nat(), serverCursors, (nodeCount, anyIndex, serverCursor) => {
        const place = { nodeIndex: anyIndex % nodeCount, serverCursor };
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
          cursor = nextCursor({ nodeIndex, serverCursor: cursors[page + 1] ?? '0' }, nodes.length);
        } while (cursor !== '0');
        expect(seen).toEqual(nodes.flatMap((pages, index) => ['0', ...pages].map((_, page) => `${index}/${page}`)));
      }),
    );
  });

  it('is the cursor of the server itself where there is one node', () => {
    fc.assert(
      fc.property(serverCursors, (serverCursor) => {
        expect(nextCursor({ nodeIndex: 0, serverCursor }, 1)).toBe(serverCursor);
      }),
    );
  });

  it('may be given as a number, a bigint or as bytes', () => {
    for (const cursor of ['7', 7, 7n, Buffer.from('7')]) {
      expect(parseCursor(cursor, 3)).toEqual({ nodeIndex: 1, serverCursor: '2' });
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
    1e30,
    {},
    [1],
    ['1'],
    true,
  ])('refuses %j', (cursor) => {
    expect(() => parseCursor(cursor, 3)).toThrow(InvalidArgumentError);
  });

  it('refuses a number that no server could have given, however long', () => {
    expect(() => parseCursor(`${2n ** 64n * 3n}`, 3)).toThrow(InvalidArgumentError);
    expect(parseCursor(`${2n ** 64n * 3n - 1n}`, 3)).toEqual({ nodeIndex: 2, serverCursor: `${2n ** 64n - 1n}` });
    expect(() => parseCursor('9'.repeat(1_000_000), 3)).toThrow(InvalidArgumentError);
  });
});
