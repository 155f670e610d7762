/** Replies to draw, as bytes of RESP3 and as what a decoder should make of them. */

import fc from 'fast-check';
import { RespDecoder } from '../../../src/server/direct/resp-decoder.ts';
import { ReplyError } from '../../../src/server/direct/resp-errors.ts';
import { cleanText } from '../../../src/server/link/server-text.ts';

/** What a decoder said, in order. */
export type Said = { readonly reply: unknown } | { readonly refusal: string } | { readonly push: readonly unknown[] };

export interface Drawn {
  readonly bytes: Buffer;
  readonly value: unknown;
}

const line = (type: string, text: string) => Buffer.from(`${type}${text}\r\n`);
const framed = (type: string, bytes: Uint8Array) =>
  Buffer.concat([line(type, `${bytes.length}`), bytes, Buffer.from('\r\n')]);
const lineText = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n]/g, ' '));

/** Long ones too, that are cut in any case, and ones that hold what looks like protocol. */
const bytes = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\r\n', '$-1\r\n', '*2\r\n:1\r\n:2\r\n', '\r').map((text) => Buffer.from(text)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 300, maxLength: 2_000 }) },
);

const leaf: fc.Arbitrary<Drawn> = fc.oneof(
  bytes.map((string) => ({ bytes: framed('$', string), value: Buffer.from(string) })),
  lineText.map((text) => ({ bytes: line('+', text), value: Buffer.from(text) })),
  fc.maxSafeInteger().map((number) => ({ bytes: line(':', `${number}`), value: number === 0 ? 0 : number })),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => {
    const text = `${number}`;
    return { bytes: line(',', text), value: Buffer.from(text) };
  }),
  fc.bigInt().map((number) => ({ bytes: line('(', `${number}`), value: `${number}` })),
  fc.boolean().map((flag) => ({ bytes: line('#', flag ? 't' : 'f'), value: flag ? 1 : 0 })),
  fc.constantFrom('_\r\n', '$-1\r\n', '*-1\r\n').map((text) => ({ bytes: Buffer.from(text), value: null })),
  bytes.map((string) => ({
    bytes: framed('=', Buffer.concat([Buffer.from('txt:'), string])),
    value: Buffer.from(string),
  })),
);

const refusal: fc.Arbitrary<Drawn> = lineText.chain((text) =>
  fc
    .constantFrom(line('-', text), framed('!', Buffer.from(text)))
    .map((bytes) => ({ bytes, value: new ReplyError(cleanText(text)) })),
);

const joined = (type: string, count: number, items: readonly Drawn[]): Drawn => ({
  bytes: Buffer.concat([line(type, `${count}`), ...items.map(({ bytes }) => bytes)]),
  value: items.map(({ value }) => value),
});

/** A reply, perhaps with attributes before it, of which nothing is to be seen. */
export const anyReply: fc.Arbitrary<Drawn> = fc.letrec<{ reply: Drawn; list: Drawn[]; pairs: Drawn[] }>((tie) => ({
  list: fc.array(fc.oneof(tie('reply'), refusal), { maxLength: 5 }),
  pairs: fc.array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 3 }).map((pairs) => pairs.flat()),
  reply: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 4, arbitrary: leaf },
    { weight: 2, arbitrary: tie('list').map((items) => joined('*', items.length, items)) },
    { weight: 1, arbitrary: tie('list').map((items) => joined('~', items.length, items)) },
    { weight: 1, arbitrary: tie('pairs').map((items) => joined('%', items.length / 2, items)) },
    {
      weight: 1,
      arbitrary: fc.tuple(tie('pairs'), tie('reply')).map(([items, { bytes, value }]) => ({
        bytes: Buffer.concat([joined('|', items.length / 2, items).bytes, bytes]),
        value,
      })),
    },
  ),
})).reply;

/** Anything that may come at the top: replies, refusals, and what was not asked for. */
export const anySaying: fc.Arbitrary<{ readonly bytes: Buffer; readonly said: Said }> = fc.oneof(
  { weight: 4, arbitrary: anyReply.map(({ bytes, value }) => ({ bytes, said: { reply: value } })) },
  {
    weight: 1,
    arbitrary: refusal.map(({ bytes, value }) => ({ bytes, said: { refusal: (value as Error).message } })),
  },
  {
    weight: 1,
    arbitrary: fc.array(anyReply, { maxLength: 4 }).map((items) => {
      const { bytes, value } = joined('>', items.length, items);
      return { bytes, said: { push: value as unknown[] } };
    }),
  },
);

/** The bytes in pieces, each in memory of its own, cut where `cuts` say: numbers of which any may be asked for. */
export function piecesOf(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, index) => Buffer.from(whole.subarray(start, places[index] ?? whole.length)));
}

/** What a new decoder says to these pieces. */
export function decode(pieces: readonly Buffer[]): Said[] {
  const said: Said[] = [];
  const decoder = new RespDecoder({
    onReply: (reply) => said.push({ reply }),
    onError: ({ message }) => said.push({ refusal: message }),
    onPush: (push) => said.push({ push }),
  });
  for (const piece of pieces) decoder.write(piece);
  return said;
}
