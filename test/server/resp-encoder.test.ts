import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandArgument } from '../../src/server/link/client.ts';
import { RespEncoder } from '../../src/server/sending/resp-encoder.ts';
import { decode, piecesOf } from './direct/resp-replies.ts';

const written = (encoder: RespEncoder): Buffer =>
  Buffer.concat(encoder.take().map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));

function encode(...command: [name: string, ...args: CommandArgument[]]): Buffer {
  const encoder = new RespEncoder();
  encoder.add(command[0], command.slice(1));
  return written(encoder);
}

const anyArgument: fc.Arbitrary<CommandArgument> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\0', '\r\n', '\ud800', '😀', 'é', 'x'.repeat(5_000), 'é'.repeat(3_000)),
  fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ minLength: 4_000, maxLength: 5_000 }).map((bytes) => Buffer.from(bytes)),
  fc.integer(),
  fc.double(),
);

const asText = (bytes: Buffer) => bytes.toString('latin1');
const asBytes = (arg: CommandArgument) => (Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg)));

describe('RespEncoder', () => {
  it('writes the bytes of the specification', () => {
    expect(encode('LLEN', 'mylist').toString()).toBe('*2\r\n$4\r\nLLEN\r\n$6\r\nmylist\r\n');
    expect(encode('ping').toString()).toBe('*1\r\n$4\r\nping\r\n');
    expect(encode('set', 'é', Buffer.of(0xff), -1).toString('latin1')).toBe(
      '*4\r\n$3\r\nset\r\n$2\r\n\xc3\xa9\r\n$1\r\n\xff\r\n$2\r\n-1\r\n',
    );
  });

  it('writes any commands so that a server reads the same arguments', () => {
    const anyCommand = fc.tuple(
      fc.constantFrom('get', 'SET', 'naïve', 'mget'),
      fc.array(anyArgument, { maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 5 }), (commands, cuts) => {
        const encoder = new RespEncoder();
        for (const [name, args] of commands) encoder.add(name, args);
        // As text, since `toEqual` walks through Buffers byte by byte.
        const said = decode(piecesOf(written(encoder), cuts)).map((each) =>
          (each as { reply: Buffer[] }).reply.map(asText),
        );
        expect(said).toEqual(commands.map(([name, args]) => [name, ...args].map((arg) => asText(asBytes(arg)))));
      }),
      { numRuns: 300 },
    );
  });

  it('starts again once what was added has been taken', () => {
    const encoder = new RespEncoder();
    encoder.add('get', ['a']);
    encoder.take();
    expect(encoder.take()).toEqual([]);
    encoder.add('get', ['b']);
    expect(written(encoder).toString()).toBe('*2\r\n$3\r\nget\r\n$1\r\nb\r\n');
  });

  it('writes a long argument apart, with the bytes that it had when it was added', () => {
    const value = Buffer.alloc(1_000_000, 'a');
    const encoder = new RespEncoder();
    encoder.add('get', ['a']);
    encoder.add('set', ['a', value]);
    encoder.add('get', ['b']);
    // A call that was given up may leave its bytes behind, and its caller may go on using them.
    value.fill('b');
    const parts = encoder.take();
    expect(parts).toHaveLength(3);
    expect((parts[1] as Buffer).equals(Buffer.alloc(1_000_000, 'a'))).toBe(true);
  });

  it('takes any number of long arguments', () => {
    const encoder = new RespEncoder();
    encoder.add('mset', new Array(130_000).fill('x'.repeat(4_097)));
    expect(encoder.take()).toHaveLength(2 * 130_000 + 1);
  });

  it('keeps the parts of many commands together and bounded', () => {
    const encoder = new RespEncoder();
    for (let index = 0; index < 10_000; index++) encoder.add('set', [`key ${index}`, Buffer.alloc(100)]);
    const parts = encoder.take();
    expect(parts.length).toBeLessThan(10);
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(300_000);
  });

  it.each([
    ['subscribe', ['a']],
    ['PSubscribe', ['a']],
    ['unsubscribe', []],
    ['ssubscribe', ['a']],
    ['MONITOR', []],
    ['sync', []],
    ['psync', ['?', -1]],
    ['client', ['reply', 'skip']],
    ['CLIENT', [Buffer.from('REPLY'), 'OFF']],
  ])('refuses %s, which is not answered by one reply', (name, args) => {
    const encoder = new RespEncoder();
    for (let time = 0; time < 2; time++) expect(() => encoder.add(name, args)).toThrow(TypeError);
    expect(encoder.take()).toEqual([]);
  });

  it('adds nothing of a command if one of its arguments cannot be written', () => {
    const encoder = new RespEncoder();
    for (const wrong of [undefined, null, {}, new Uint8Array(3), ['a']]) {
      expect(() => encoder.add('set', ['key', Buffer.alloc(10_000), wrong as never])).toThrow(TypeError);
    }
    encoder.add('client', ['id']);
    expect(written(encoder).toString()).toBe('*2\r\n$6\r\nclient\r\n$2\r\nid\r\n');
  });

  it('still writes names correctly after very many of them', () => {
    const encoder = new RespEncoder();
    for (let index = 0; index < 3_000; index++) encoder.add(`name${index}`, []);
    encoder.take();
    encoder.add('name2999', []);
    expect(written(encoder).toString()).toBe('*1\r\n$8\r\nname2999\r\n');
  });
});
