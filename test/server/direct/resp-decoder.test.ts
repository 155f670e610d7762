import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RespDecoder } from '../../../src/server/direct/resp-decoder.ts';
import { ReplyError } from '../../../src/server/direct/resp-errors.ts';
import { anySaying, decode, piecesOf } from './resp-replies.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const one = (text: string) => decode([bytes(text)])[0];
const byteByByte = (text: string) => [...bytes(text)].map((byte) => Buffer.of(byte));
const error = (message: string) => new ReplyError(message);

/** Of the specification of RESP3 word for word, with the shapes that RESP2 would have had. */
const golden: readonly (readonly [text: string, reply: unknown])[] = [
  ['$11\r\nhello world\r\n', bytes('hello world')],
  ['$0\r\n\r\n', bytes('')],
  ['+hello world\r\n', bytes('hello world')],
  [':1234\r\n', 1234],
  [':-1\r\n', -1],
  [':+7\r\n', 7],
  [':9223372036854775807\r\n', 2 ** 63],
  ['_\r\n', null],
  ['$-1\r\n', null],
  ['*-1\r\n', null],
  [',1.23\r\n', bytes('1.23')],
  [',10\r\n', bytes('10')],
  [',1E-5\r\n', bytes('1E-5')],
  [',inf\r\n', bytes('inf')],
  [',-inf\r\n', bytes('-inf')],
  [',nan\r\n', bytes('nan')],
  [',-nan\r\n', bytes('-nan')],
  ['#t\r\n', 1],
  ['#f\r\n', 0],
  ['=15\r\ntxt:Some string\r\n', bytes('Some string')],
  ['(3492890328409238509324850943850943825024385\r\n', '3492890328409238509324850943850943825024385'],
  ['*3\r\n:1\r\n:2\r\n:3\r\n', [1, 2, 3]],
  ['*0\r\n', []],
  ['*2\r\n*3\r\n:1\r\n$5\r\nhello\r\n:2\r\n#f\r\n', [[1, bytes('hello'), 2], 0]],
  ['%2\r\n+first\r\n:1\r\n+second\r\n:2\r\n', [bytes('first'), 1, bytes('second'), 2]],
  ['~5\r\n+orange\r\n+apple\r\n#t\r\n:100\r\n:999\r\n', [bytes('orange'), bytes('apple'), 1, 100, 999]],
  [
    '|1\r\n+key-popularity\r\n%2\r\n$1\r\na\r\n,0.1923\r\n$1\r\nb\r\n,0.0012\r\n*2\r\n:2039123\r\n:9543892\r\n',
    [2039123, 9543892],
  ],
  ['*3\r\n:1\r\n:2\r\n|1\r\n+ttl\r\n:3600\r\n:3\r\n', [1, 2, 3]],
  ['*2\r\n-ERR no\r\n!7\r\nBAD one\r\n', [error('ERR no'), error('BAD one')]],
  // Nothing of RESP, but arrays in arrays that end together, and empty ones at the end.
  ['*2\r\n*1\r\n*0\r\n*1\r\n*1\r\n%0\r\n', [[[]], [[[]]]]],
];

describe('RespDecoder', () => {
  it.each(golden)('reads %j', (text, reply) => {
    expect(decode([bytes(text)])).toEqual([{ reply }]);
    expect(decode(byteByByte(text))).toEqual([{ reply }]);
  });

  it('distinguishes errors and pushes from replies', () => {
    const text =
      '-ERR this is the error description\r\n!21\r\nSYNTAX invalid syntax\r\n>2\r\n+message\r\n:1\r\n$9\r\nGet-Reply\r\n';
    const said = [
      { refusal: 'ERR this is the error description' },
      { refusal: 'SYNTAX invalid syntax' },
      { push: [bytes('message'), 1] },
      { reply: bytes('Get-Reply') },
    ];
    expect(decode([bytes(text)])).toEqual(said);
    expect(decode(byteByByte(text))).toEqual(said);
  });

  it('gives errors of servers the name that they have everywhere here', () => {
    const { reply } = one('*1\r\n-ERR no\r\n') as { reply: [Error] };
    expect(reply[0]).toBeInstanceOf(Error);
    expect(reply[0].name).toBe('ReplyError');
  });

  it('reads any replies one after the other, wherever they are cut', () => {
    fc.assert(
      fc.property(fc.array(anySaying, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 30 }), (sayings, cuts) => {
        const whole = Buffer.concat(sayings.map((saying) => saying.bytes));
        expect(decode(piecesOf(whole, cuts))).toEqual(sayings.map(({ said }) => said));
      }),
      { numRuns: 500 },
    );
  });

  it('reads any replies that come byte by byte', () => {
    fc.assert(
      fc.property(fc.array(anySaying, { maxLength: 3 }), (sayings) => {
        const whole = Buffer.concat(sayings.map((saying) => saying.bytes));
        const pieces = [...whole].map((byte) => Buffer.of(byte));
        expect(decode(pieces)).toEqual(sayings.map(({ said }) => said));
      }),
      { numRuns: 200 },
    );
  });

  it('reads any bytes as the protocol or rejects them, and never does anything else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 5 }), (pieces) => {
        try {
          decode(pieces.map((piece) => Buffer.from(piece)));
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'ParserError' });
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives a string that is not cut as a view on what came, and one that is cut as memory of its own', () => {
    const piece = bytes('$5\r\nhello\r\n$5\r\nwor');
    const [first, second] = decode([piece, bytes('ld\r\n')]) as { reply: Buffer }[];
    expect(first!.reply.buffer).toBe(piece.buffer);
    piece.fill(0);
    expect(second!.reply).toEqual(bytes('world'));
  });

  it('does not change, after it was given, a string that ended with its piece', () => {
    const [first] = decode([bytes('$5\r\nhello\r\n'), bytes('$5\r\nother\r\n')]) as { reply: Buffer }[];
    expect(first!.reply).toEqual(bytes('hello'));
  });

  it('accepts the text of an error up to the length of the longest reply, and cuts it', () => {
    const pieces = (length: number) => [
      bytes('-ERR '),
      ...Array(length / 1_000).fill(bytes('x'.repeat(1_000))),
      bytes('\r\n'),
    ];
    const [long] = decode(pieces(1_000_000)) as { refusal: string }[];
    expect(long!.refusal).toHaveLength(500);
    const decoder = new RespDecoder(
      { onReply: () => undefined, onError: () => undefined, onPush: () => undefined },
      100_000,
    );
    expect(() => {
      for (const piece of pieces(200_000)) decoder.write(piece);
    }).toThrow('maxReplyBytes');
  });

  it.each([
    ['HTTP/1.1 400 Bad Request\r\n', 'an unknown type'],
    ['H', 'an unknown type'],
    ['\r\n', 'no proper end'],
    ['+\n', 'no proper end'],
    ['+OK\n', 'no proper end'],
    ['$\n', 'no proper end'],
    ['$5\r\nhelloXX', 'no proper end'],
    ['$1\r\nxy\r\n', 'no proper end'],
    ['$x\r\n', 'not a whole number'],
    ['$-2\r\n', 'not a whole number'],
    ['$1e3\r\n', 'not a whole number'],
    ['$\r\n', 'not a whole number'],
    ['%-1\r\n', 'impossible'],
    ['>-1\r\n', 'impossible'],
    ['=-1\r\n', 'impossible'],
    ['!-1\r\n', 'impossible'],
    ['=3\r\nabc\r\n', 'no format'],
    [':\r\n', 'no digits'],
    [':1.5\r\n', 'no digits'],
    [':0x10\r\n', 'no digits'],
    [':123456789012345678901\r\n', 'no digits'],
    ['(\r\n', 'no digits'],
    [',.5\r\n', 'not a number'],
    [',\r\n', 'not a number'],
    ['#x\r\n', 'neither true nor false'],
    ['_x\r\n', 'has a value'],
    ['*1\r\n>1\r\n:1\r\n', 'within a reply'],
    ['$?\r\n;4\r\n', 'not supported'],
    ['*?\r\n', 'not supported'],
    ['$1073741825\r\n', 'impossible'],
    ['$999999999999999\r\n', 'impossible'],
    ['$9999999999999999999999\r\n', 'not a whole number'],
    ['*67108865\r\n', 'impossible'],
    ['%33554433\r\n', 'impossible'],
    ['*1\r\n'.repeat(129), 'too deeply'],
    [`:${'1'.repeat(65_537)}`, 'too long'],
  ])('refuses %j', (text, message) => {
    expect(() => decode([bytes(text)])).toThrow(
      expect.objectContaining({ name: 'ParserError', message: expect.stringContaining(message) }),
    );
    expect(() => decode(byteByByte(text))).toThrow(expect.objectContaining({ name: 'ParserError' }));
  });

  it('accepts what is just within its limits', () => {
    const deep = `${'*1\r\n'.repeat(128)}:1\r\n`;
    expect(decode([bytes(deep)])).toHaveLength(1);
    const long = `+${'x'.repeat(60_000)}\r\n`;
    expect(decode([bytes(long.slice(0, 30_000)), bytes(long.slice(30_000))])).toEqual([
      { reply: bytes('x'.repeat(60_000)) },
    ]);
    expect(decode([bytes(`*5000\r\n${':1\r\n'.repeat(5000)}`)])).toEqual([{ reply: new Array(5000).fill(1) }]);
  });

  it('sets no memory aside for a length that is only announced', () => {
    const before = process.memoryUsage().arrayBuffers;
    const pieces = Array.from({ length: 50 }, () => [bytes('*1000000\r\n$60000000\r\nx')]);
    for (const piece of pieces) decode(piece);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200e6);
  });

  it.each([['*60000000\r\n'], ['$134217729\r\n'], ['*2\r\n*1\r\n:1\r\n*2100000\r\n']])(
    'refuses what is announced beyond 128 MiB, elements counted at 64 bytes: %j',
    (announced) => {
      const decoder = new RespDecoder({ onReply: () => undefined, onError: () => undefined, onPush: () => undefined });
      expect(() => decoder.write(bytes(announced))).toThrow('maxReplyBytes');
    },
  );

  it('reads 100 MB that come in pieces of 64 kB in time proportional to them', () => {
    const size = 100 * 1024 * 1024;
    const piece = Buffer.alloc(64 * 1024, 'x');
    const startCpu = process.cpuUsage();
    const [said] = decode([bytes(`$${size}\r\n`), ...new Array(size / piece.length).fill(piece), bytes('\r\n')]);
    const { user, system } = process.cpuUsage(startCpu);
    const { reply } = said as { reply: Buffer };
    expect(reply.length).toBe(size);
    expect(reply.every((byte) => byte === 0x78)).toBe(true);
    // Copying all that has come before with each piece would be 80 GB and take more than 10 s.
    expect((user + system) / 1e6).toBeLessThan(5);
  });
});
