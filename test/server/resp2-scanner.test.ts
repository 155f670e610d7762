/** What RESP2 has passes, however it is cut; what it does not have is told at its first byte. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Resp2Scanner } from '../../src/server/link/resp2-scanner.ts';
import { piecesOf } from './direct/resp-replies.ts';

const line = (text: string) => Buffer.from(`${text}\r\n`);
const bulkOf = (bytes: Uint8Array) => Buffer.concat([line(`$${bytes.length}`), bytes, Buffer.from('\r\n')]);

/** Strings that hold what looks like protocol among them. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc.constantFrom('>2\r\n', '\r\n>1\r\n+a\r\n', '$5\r\n', '\r').map((text) => Buffer.from(text)),
);
const text = fc.string().map((drawn) => drawn.replace(/[\r\n]/g, ' '));

const { reply } = fc.letrec<{ reply: Buffer }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4 },
    bytes.map(bulkOf),
    text.map((drawn) => line(`+${drawn}`)),
    text.map((drawn) => line(`-${drawn}`)),
    fc.maxSafeInteger().map((number) => line(`:${number}`)),
    fc.constantFrom('$-1', '*-1').map(line),
    fc.array(tie('reply'), { maxLength: 4 }).map((items) => Buffer.concat([line(`*${items.length}`), ...items])),
  ),
}));
const replies = fc.array(reply, { maxLength: 6 }).map((drawn) => Buffer.concat(drawn));
const cuts = fc.array(fc.nat(), { maxLength: 8 });

/** How many bytes the scanner lets pass, byte by byte. */
function passedBytes(whole: Buffer): number {
  const scanner = new Resp2Scanner();
  for (let at = 0; at < whole.length; at++) {
    try {
      scanner.write(whole.subarray(at, at + 1));
    } catch {
      return at;
    }
  }
  return whole.length;
}

describe('Resp2Scanner', () => {
  it('passes everything that RESP2 has, cut anywhere', () => {
    fc.assert(
      fc.property(replies, cuts, (whole, places) => {
        const scanner = new Resp2Scanner();
        for (const piece of piecesOf(whole, places)) scanner.write(piece);
        expect(passedBytes(whole)).toBe(whole.length);
      }),
    );
  });

  it('throws at a type that RESP2 does not have, and not before', () => {
    const foreign = fc.constantFrom(...'>%~|,#_(=!abc\n\r\0');
    fc.assert(
      fc.property(replies, foreign, replies, cuts, (before, type, after, places) => {
        const whole = Buffer.concat([before, Buffer.from(`${type}1\r\n`), after]);
        expect(passedBytes(whole)).toBe(before.length);
        const scanner = new Resp2Scanner();
        expect(() => {
          for (const piece of piecesOf(whole, places)) scanner.write(piece);
        }).toThrow('RESP2 does not have');
      }),
    );
  });

  it.each([
    ['a letter in a length', '$1a\r\n', 2],
    ['a line that ends in a line feed alone', '*1\n', 2],
    ['a carriage return alone', '+OK\r+', 4],
    ['a length of two signs', '$--1\r\n', 2],
    ['a sign within a length', '$1-\r\n', 2],
    ['a length without digits', '*\r\n', 1],
  ])('throws at %s', (_what, whole, place) => {
    expect(passedBytes(Buffer.from(whole))).toBe(place);
  });
});
