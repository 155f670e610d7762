import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withAbsoluteExpiry } from '../../src/redis/replication/absolute-expiry.ts';
import { type Replication, replicationOf } from '../../src/redis/replication/effects.ts';

const nowMs = 1_000_000;
const bytes = (text: string) => Buffer.from(text);

/** A command as text: `set a 1 PXAT 5`. */
const call = (text: string) => {
  const [name, ...args] = text.split(' ');
  return { name: name!.toLowerCase(), args };
};

const textOf = ({ name, args }: { readonly name: string; readonly args: readonly unknown[] }) =>
  [name, ...args].join(' ');

const absolute = (text: string) => {
  const { name, args } = call(text);
  return textOf(withAbsoluteExpiry(name, args, nowMs));
};

const replication = (text: string): Replication => {
  const { name, args } = call(text);
  return replicationOf(name, args, nowMs);
};

/** What the other holders are sent after that reply of the first. */
const effects = (text: string, reply: unknown): string[] => {
  const answer = replication(text);
  if (answer.kind !== 'effects') throw new Error(`${text} is of kind ${answer.kind}`);
  return answer.effectsOf(reply).map(textOf);
};

describe('times to live', () => {
  it.each([
    ['set a 1 EX 5', 'set a 1 PXAT 1005000'],
    ['set a 1 nx px 5 get', 'set a 1 nx PXAT 1000005 get'],
    ['set a EX EX 5', 'set a EX PXAT 1005000'],
    ['set a 1 IFEQ EX EX 5', 'set a 1 IFEQ EX PXAT 1005000'],
    ['setex a 5 v', 'set a v PXAT 1005000'],
    ['psetex a 5 v', 'set a v PXAT 1000005'],
    ['getex a EX 5', 'getex a PXAT 1005000'],
    ['expire a 5', 'pexpireat a 1005000'],
    ['expire a 0', 'pexpireat a 1000000'],
    ['expire a -5 NX', 'pexpireat a 995000 NX'],
    ['pexpire a 5 gt', 'pexpireat a 1000005 gt'],
    ['hexpire a 5 NX FIELDS 1 f', 'hpexpireat a 1005000 NX FIELDS 1 f'],
    ['hpexpire a 0 FIELDS 1 f', 'hpexpireat a 1000000 FIELDS 1 f'],
    ['hsetex a FNX EX 5 FIELDS 1 EX 1', 'hsetex a FNX PXAT 1005000 FIELDS 1 EX 1'],
    ['hsetex a FIELDS 1 EX 7 PX 5', 'hsetex a FIELDS 1 EX 7 PXAT 1000005'],
    ['hgetex a PX 5 FIELDS 2 EX 9', 'hgetex a PXAT 1000005 FIELDS 2 EX 9'],
    ['msetex 2 EX 1 b 2 NX EX 5', 'msetex 2 EX 1 b 2 NX PXAT 1005000'],
    ['increx a BYINT 2 UBOUND 10 EX 5 ENX', 'increx a BYINT 2 UBOUND 10 PXAT 1005000 ENX'],
    ['restore a 5 payload REPLACE', 'restore a 1000005 payload REPLACE ABSTTL'],
    ['expire a 999999999999999', 'pexpireat a 1000000000000999000'],
  ])('become points in time: %s', (before, after) => {
    expect(absolute(before)).toBe(after);
  });

  it.each([
    ...['set a 1', 'set a 1 PXAT 5', 'set a 1 EXAT 5', 'set a 1 KEEPTTL', 'getex a', 'getex a PERSIST', 'get a'],
    ...['restore a 0 payload', 'restore a 5 payload ABSTTL', 'expireat a 5', 'hsetex a FIELDS 1 f v'],
    // Wrong in form or value: the server's to refuse.
    ...[
      'set a 1 EX',
      'set a 1 EX 0',
      'set a 1 EX -1',
      'set a 1 EX x',
      'set a 1 EX 1.5',
      'set a 1 EX 010',
      'set a 1 NEW EX 5',
    ],
    ...[
      'set',
      'set a',
      'setex a 5',
      'setex a 0 v',
      'setex a 5 v w',
      'expire a',
      'expire a +5',
      'expire',
      'hexpire a -5 FIELDS 1 f',
    ],
    ...[
      'hsetex a EX 5 FIELDS x f v',
      'msetex x a 1 EX 5',
      'msetex 9 a 1 EX 5',
      'restore a 5',
      'set a 1 EX 9999999999999999999',
    ],
  ])('leave other commands as they are: %s', (text) => {
    expect(absolute(text)).toBe(text);
  });

  it('are found in bytes, and the rest of the bytes is kept', () => {
    const value = Buffer.of(0xff, 0x00);
    expect(withAbsoluteExpiry('set', [bytes('a'), value, bytes('ex'), bytes('5')], nowMs).args).toEqual([
      bytes('a'),
      value,
      'PXAT',
      '1005000',
    ]);
  });

  it('are left or made absolute for any arguments, and nothing else is changed', () => {
    const argument = fc.oneof(
      fc.constantFrom('EX', 'px', 'NX', 'GET', 'FIELDS', '1', '2', '5', '-1', 'a'),
      fc.string(),
    );
    const name = fc.constantFrom('set', 'getex', 'hsetex', 'hgetex', 'msetex', 'increx', 'restore', 'setex', 'expire');
    fc.assert(
      fc.property(name, fc.array(argument), (command, args) => {
        const before = [...args];
        const { args: after } = withAbsoluteExpiry(command, args, nowMs);
        expect(args).toEqual(before);
        const times = args
          .filter((each) => /^-?\d+$/.test(each))
          .flatMap((each) => [BigInt(each), BigInt(each) * 1000n]);
        const news = new Set(['PXAT', 'ABSTTL', ...times.map((time) => String(BigInt(nowMs) + time))]);
        const isNew = (each: unknown) => news.has(String(each));
        expect(after.filter((each) => !isNew(each)).every((each) => args.includes(each as string))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('what the server picks', () => {
  it.each([
    ['spop a', bytes('m'), ['srem a m']],
    ['spop a 2', [bytes('m'), bytes('n')], ['srem a m n']],
    ['spop a', null, []],
    ['spop a 2', [], []],
    ['blpop a b 0', [bytes('b'), bytes('x')], ['lrem b 1 x']],
    ['brpop a 0', [bytes('a'), bytes('x')], ['lrem a -1 x']],
    ['blpop a 1', null, []],
    ['blmpop 0 2 a b RIGHT COUNT 2', [bytes('b'), [bytes('x'), bytes('y')]], ['lrem b -1 x', 'lrem b -1 y']],
    ['blmpop 1 1 a LEFT', null, []],
    ['blmove a b LEFT RIGHT 0', bytes('x'), ['lrem a 1 x', 'rpush b x']],
    ['blmove a b right left 1', null, []],
    ['brpoplpush a b 0', bytes('x'), ['lrem a -1 x', 'lpush b x']],
    ['blmovem a b LEFT LEFT 0 COUNT 2 BULK', [bytes('x'), bytes('y')], ['lrem a 1 x', 'lrem a 1 y', 'lpush b y x']],
    ['bzpopmin a 0', [bytes('a'), bytes('m'), bytes('1')], ['zrem a m']],
    ['bzpopmax a 1', null, []],
    [
      'bzmpop 0 1 a MIN COUNT 2',
      [
        bytes('a'),
        [
          [bytes('m'), bytes('1')],
          [bytes('n'), bytes('2')],
        ],
      ],
      ['zrem a m n'],
    ],
    ['zmpop 1 a MAX', [bytes('a'), [[bytes('m'), bytes('1')]]], ['zrem a m']],
    ['zmpop 1 a MAX', null, []],
    ['lmpop 2 a b right COUNT 3', [bytes('b'), [bytes('x'), bytes('y')]], ['rpop b 2']],
    ['xadd a * f v', bytes('5-1'), ['xadd a 5-1 f v']],
    [
      'xadd a NOMKSTREAM MAXLEN ~ 100 LIMIT 5 7-* f *',
      bytes('7-3'),
      ['xadd a NOMKSTREAM MAXLEN ~ 100 LIMIT 5 7-3 f *'],
    ],
    ['xadd a NOMKSTREAM * f v', null, []],
    [
      'xclaim a g c 10 1-1 2-1 IDLE 7 JUSTID',
      [bytes('1-1')],
      ['xclaim a g c 0 1-1 TIME 999993 JUSTID FORCE', 'xclaim a g c 9007199254740991 2-1 JUSTID'],
    ],
    [
      'xclaim a g c 10 1-1',
      [[bytes('1-1'), [bytes('f'), bytes('v')]], null],
      ['xclaim a g c 0 1-1 TIME 1000000 FORCE'],
    ],
    ['xclaim a g c 10 1-1 LASTID 3-1', [], ['xclaim a g c 9007199254740991 1-1 JUSTID LASTID 3-1']],
    [
      'xautoclaim a g c 10 0 COUNT 5 JUSTID',
      [bytes('0-0'), [bytes('1-1')], [bytes('2-1')]],
      ['xclaim a g c 0 1-1 TIME 1000000 JUSTID FORCE', 'xack a g 2-1'],
    ],
    [
      'xreadgroup GROUP g c COUNT 2 STREAMS a b > 0',
      [
        [
          bytes('a'),
          [
            [bytes('1-1'), []],
            [bytes('2-1'), []],
          ],
        ],
        [bytes('b'), [[bytes('1-1'), []]]],
      ],
      ['xclaim a g c 0 1-1 2-1 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-1'],
    ],
    ['xreadgroup GROUP g c NOACK STREAMS a >', [[bytes('a'), [[bytes('1-1'), []]]]], ['xgroup SETID a g 1-1']],
    ['xreadgroup GROUP g c STREAMS a >', null, []],
  ])('is repeated by the other holders after %s', (text, reply, expected) => {
    expect(effects(text, reply)).toEqual(expected);
  });

  it('cannot be repeated by executing the command everywhere', () => {
    for (const text of ['spop a', 'blpop a 0', 'xadd a * f v', 'xreadgroup GROUP g c STREAMS a >']) {
      expect(replication(text), text).toMatchObject({ kind: 'effects', mayFanOut: false });
    }
  });
});

describe('a condition', () => {
  it.each([
    ['setnx a 1', 1, ['set a 1']],
    ['setnx a 1', 0, []],
    ['set a 1 NX', bytes('OK'), ['set a 1']],
    ['set a 1 nx', null, []],
    ['set a NX XX KEEPTTL', bytes('OK'), ['set a NX KEEPTTL']],
    ['set a 1 NX GET', null, ['set a 1']],
    ['set a 1 NX GET', bytes('old'), []],
    ['set a 1 XX GET', bytes('old'), ['set a 1']],
    ['set a 1 XX GET', null, []],
    ['set a 1 IFEQ 0', bytes('OK'), ['set a 1']],
    ['set a 1 NX EX 5', bytes('OK'), ['set a 1 PXAT 1005000']],
    ['hsetnx a f 1', 1, ['hset a f 1']],
    ['msetnx a 1 b 2', 0, []],
    ['renamenx a b', 1, ['rename a b']],
    ['copy a b', 1, ['copy a b REPLACE']],
    ['restore a 0 payload', bytes('OK'), ['restore a 0 payload REPLACE']],
    ['expire a 5 NX', 1, ['pexpireat a 1005000']],
    ['expire a 5 NX', 0, []],
    ['pexpireat a 5 GT', 1, ['pexpireat a 5']],
    ['msetex 1 NX 1 EX 5 NX', 1, ['msetex 1 NX 1 PXAT 1005000']],
    ['hsetex a FXX FIELDS 1 FXX 1', 1, ['hsetex a FIELDS 1 FXX 1']],
    ['delex a IFEQ 1', 1, ['del a']],
  ])('is decided by the first holder: %s', (text, reply, expected) => {
    expect(effects(text, reply)).toEqual(expected);
    expect(replication(text)).toMatchObject({ mayFanOut: true });
  });

  it('is sent to the first holder with its time to live made absolute', () => {
    expect(replication('set a 1 NX EX 5')).toMatchObject({ name: 'set', args: ['a', '1', 'NX', 'PXAT', '1005000'] });
    expect(replication('expire a 5 NX')).toMatchObject({ name: 'pexpireat', args: ['a', '1005000', 'NX'] });
  });
});

describe('other writes', () => {
  it('are executed by every holder as they are', () => {
    for (const text of [
      'incrbyfloat a 0.1',
      'lpop a',
      'sadd a m',
      'xadd a 5-1 f v',
      'xadd a 5 * v',
      'copy a b REPLACE',
    ]) {
      expect(replication(text), text).toMatchObject({ kind: 'fanOut', args: call(text).args });
      expect(replication(text), text).not.toHaveProperty('name');
    }
    expect(replication('setex a 5 v')).toEqual({ kind: 'fanOut', name: 'set', args: ['a', 'v', 'PXAT', '1005000'] });
  });

  it('go to one holder if they change no key in this form', () => {
    for (const text of [
      'sort a',
      'sort a BY w*',
      'georadius a 1 2 3 m',
      'georadiusbymember store m 3 m',
      'getex a',
      'get a',
    ]) {
      expect(replication(text), text).toEqual({ kind: 'changesNothing' });
    }
    for (const text of ['sort a store b', 'georadius a 1 2 3 m STOREDIST b', 'getex a PERSIST']) {
      expect(replication(text).kind, text).toBe('fanOut');
    }
  });

  it('are rejected if nobody can make them the same everywhere', () => {
    for (const text of [
      ...[
        'eval x 1 a',
        'evalsha x 1 a',
        'fcall x 1 a',
        'migrate h 1 a 0 1',
        'nosuch a',
        'json.set a $ 1',
        '__proto__ a',
      ],
      ...['xadd a IDMPAUTO p * f v', 'xadd a MAXLEN 1000 IDMP p i * f v', 'xadd a NEWOPTION * f v', 'xcfgset a'],
      'xreadgroup GROUP g c CLAIM 5 STREAMS a >',
    ]) {
      expect(replication(text).kind, text).toBe('refused');
    }
    expect(replication('xreadgroup GROUP g CLAIM STREAMS CLAIM >').kind).toBe('effects');
  });

  it('reach the server if only their form is wrong', () => {
    for (const text of [
      'xadd a',
      'xreadgroup GROUP g',
      'xclaim a g c 1 1-1 IDLE',
      'set a',
      'setnx a',
      'expire a x NX',
    ]) {
      expect(['fanOut', 'effects', 'changesNothing'], text).toContain(replication(text).kind);
    }
  });
});
