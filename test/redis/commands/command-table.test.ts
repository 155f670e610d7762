import { createRequire } from 'node:module';
import { list } from '@ioredis/commands';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blocking,
  type Distribution,
  distributionOf,
  isReadOnly,
  keysOf,
} from '../../../src/redis/commands/command-table.ts';
import { replicationOf } from '../../../src/redis/replication/effects.ts';
import { replicationClasses, spreadClasses } from './command-classes.ts';

interface Facts {
  readonly flags: readonly string[];
  readonly subcommands?: Record<string, unknown>;
}

const facts = createRequire(import.meta.url)('@ioredis/commands/built/commands.json') as Record<string, Facts>;

/** Arguments with which a command has the key 'a', if it has keys. */
function argumentsFor(name: string): string[] {
  const special: Record<string, string[]> = {
    migrate: ['h', '1', 'a', '0', '1'],
    xadd: ['a', '*', 'f', 'v'],
    xread: ['STREAMS', 'a', '0'],
    xreadgroup: ['GROUP', 'g', 'c', 'STREAMS', 'a', '>'],
  };
  if (special[name] !== undefined) return special[name];
  if (!facts[name]!.flags.includes('movablekeys') || /^(?:sort|geo)/.test(name)) return ['a', '10', 'c', 'd', 'e', 'f'];
  if (/store$/.test(name)) return ['a', '1', 'b'];
  return /^(?:eval|fcall|b)/.test(name) ? ['x', '1', 'a', 'LEFT'] : ['1', 'a', 'LEFT'];
}

/** One call of each command, or of each of its subcommands, with the name it has in the classes. */
const calls = list.flatMap((name) => {
  const subcommands = Object.keys(facts[name]!.subcommands ?? {});
  if (subcommands.length === 0) return [{ label: name, name, args: argumentsFor(name) }];
  return subcommands.map((sub) => ({ label: `${name}|${sub}`, name, args: [sub, 'a', 'b', 'c'] }));
});

function classesBy(classOf: (call: (typeof calls)[number]) => string | undefined): Record<string, string[]> {
  const classes: Record<string, string[]> = {};
  for (const call of calls) {
    const name = classOf(call);
    if (name === undefined) continue;
    classes[name] ??= [];
    classes[name].push(call.label);
  }
  return classes;
}

const written = (classes: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(classes).map(([name, labels]) => [name, labels.trim().split(/\s+/)]));

const classOfSpread = (distribution: Distribution) =>
  distribution.kind === 'refused' && distribution.isSingleNodeOnly ? 'refused unless alone' : distribution.kind;

const hasKeys = ({ kind }: Distribution) => kind === 'oneNode' || kind === 'split';

describe('the command table', () => {
  it('has the answer that is written down for each command and subcommand', () => {
    const classes = classesBy(({ name, args }) => classOfSpread(distributionOf(name, args)));
    expect(classes).toEqual(written(spreadClasses));
  });

  it('has the way to keep copies equal that is written down for each command with keys', () => {
    const classes = classesBy(({ name, args }) => {
      if (!hasKeys(distributionOf(name, args))) return undefined;
      return isReadOnly(name, args) ? 'read' : replicationOf(name, args, 0).kind;
    });
    expect(classes).toEqual(written(replicationClasses));
  });

  it('says with every rejection what to do instead, as a clause', () => {
    for (const { label, name, args } of calls) {
      const distribution = distributionOf(name, args, 2);
      const replication = hasKeys(distribution) ? replicationOf(name, args, 0) : undefined;
      for (const answer of [distribution, replication]) {
        if (answer?.kind !== 'refused') continue;
        expect(answer.reason, label).toMatch(
          /redis\.|redis-cli|\b(?:use|set|send|put|call|give|ask|there is nothing)\b/,
        );
        expect(answer.reason, label).toMatch(/^[a-z][^\n]*[^.\s]$/);
      }
    }
  });

  it('knows every subcommand, and rejects an unknown one', () => {
    const reasonOf = (name: string, args: string[]) => {
      const distribution = distributionOf(name, args);
      return distribution.kind === 'refused' ? distribution.reason : '';
    };
    for (const { name, args } of calls) expect(reasonOf(name, args)).not.toContain('unknown');
    for (const name of ['memory', 'object', 'script', 'xgroup', 'function', 'acl', 'pubsub', 'xinfo']) {
      expect(reasonOf(name, ['NEWONE', 'a'])).toContain('unknown');
      expect(distributionOf(name, [])).toEqual({ kind: 'anyNode' });
    }
  });

  it('takes subcommands in any case, and as bytes', () => {
    expect(distributionOf('script', ['LoAd', 'return 1']).kind).toBe('everywhere');
    expect(distributionOf('script', [Buffer.from('load'), 'return 1']).kind).toBe('everywhere');
    expect(distributionOf('object', [Buffer.from('ENCODING'), 'a'])).toEqual({ kind: 'oneNode' });
  });

  it('lets the server reject what has the wrong form, at any one node and never in parts', () => {
    const anyNode = { kind: 'anyNode' };
    for (const name of ['get', 'mget', 'mset', 'del', 'sinter', 'zunion', 'xread', 'object']) {
      expect(distributionOf(name, []), name).toEqual(anyNode);
    }
    expect(distributionOf('mset', ['a', '1', 'b'])).toEqual(anyNode);
    expect(distributionOf('zunion', ['2', 'a'])).toEqual(anyNode);
    expect(distributionOf('eval', ['return 1', '-1'])).toEqual(anyNode);
    expect(distributionOf('eval', ['return 1'])).toEqual(anyNode);
  });

  it('refuses DBSIZE only where keys have copies', () => {
    expect(distributionOf('dbsize', []).kind).toBe('everywhere');
    expect(distributionOf('dbsize', [], 1).kind).toBe('everywhere');
    expect(distributionOf('dbsize', [], 2).kind).toBe('refused');
  });

  it('refuses a script without keys, and sends one with keys to them', () => {
    for (const name of ['eval', 'evalsha', 'eval_ro', 'evalsha_ro', 'fcall', 'fcall_ro']) {
      expect(distributionOf(name, ['x', '0', 'argument']), name).toMatchObject({
        kind: 'refused',
        isSingleNodeOnly: true,
      });
      expect(distributionOf(name, ['x', 1, 'a']), name).toEqual({ kind: 'oneNode' });
    }
  });

  it('refuses SORT by keys that can be anywhere, and takes one whose keys share its tag', () => {
    const kindOf = (...args: string[]) => distributionOf('sort', args).kind;
    expect(kindOf('list', 'BY', 'weight_*')).toBe('refused');
    expect(kindOf('list', 'get', 'weight_*->field')).toBe('refused');
    // The element could bring a tag of its own.
    expect(kindOf('{t}list', 'BY', 'weight_*{t}')).toBe('refused');
    expect(kindOf('{t}list', 'BY', '{t*}weight')).toBe('refused');
    expect(kindOf('{t}list', 'BY', '{}{t}weight_*')).toBe('refused');
    expect(kindOf('{t}list', 'BY', '{t}weight_*', 'GET', '#', 'GET', 'x{t}o_*->name')).toBe('oneNode');
    expect(kindOf('list', 'BY', 'nosort', 'GET', '#')).toBe('oneNode');
    // By a placement that does not hash tags, the keys of any pattern may be elsewhere.
    expect(distributionOf('sort', ['{l}ist', 'BY', '{l}w_*'], 1, true).kind).toBe('oneNode');
    expect(distributionOf('sort', ['{l}ist', 'BY', '{l}w_*'], 1, false).kind).toBe('refused');
    expect(distributionOf('sort', ['list', 'BY', 'nosort'], 1, false).kind).toBe('oneNode');
    expect(kindOf('list', 'STORE', 'GET', 'LIMIT', '0', '1')).toBe('oneNode');
  });

  it('refuses a command that it does not know, unless it is one of a known module', () => {
    expect(distributionOf('nosuch', ['a'])).toMatchObject({ kind: 'refused', isSingleNodeOnly: true });
    expect(distributionOf('ft.search', ['index', 'query']).kind).toBe('refused');
    expect(distributionOf('ts.mrange', ['-', '+', 'FILTER', 'a=b']).kind).toBe('refused');
    expect(distributionOf('json.set', ['a', '$', '1'])).toEqual({ kind: 'oneNode' });
    expect(distributionOf('__proto__', ['a']).kind).toBe('refused');
    expect(distributionOf('constructor', ['a']).kind).toBe('refused');
  });
});

describe('the keys of a command', () => {
  const keys = (name: string, ...args: (string | number | Buffer)[]) =>
    keysOf(name, args).map((index) => String(args[index]));

  it('are found wherever the command has them', () => {
    expect(keys('get', 'a')).toEqual(['a']);
    expect(keys('mset', 'a', '1', 'b', '2')).toEqual(['a', 'b']);
    expect(keys('object', 'ENCODING', 'a')).toEqual(['a']);
    expect(keys('xgroup', 'create', 'a', 'g', '$')).toEqual(['a']);
    expect(keys('xinfo', 'STREAM', 'a', 'FULL')).toEqual(['a']);
    expect(keys('memory', 'usage', 'a', 'SAMPLES', '0')).toEqual(['a']);
    expect(keys('memory', 'doctor')).toEqual([]);
    expect(keys('bitop', 'AND', 'd', 'a', 'b')).toEqual(['d', 'a', 'b']);
    expect(keys('pfcount', 'a', 'b')).toEqual(['a', 'b']);
    expect(keys('blpop', 'a', 'b', '0')).toEqual(['a', 'b']);
    expect(keys('lmpop', '2', 'a', 'b', 'LEFT')).toEqual(['a', 'b']);
    expect(keys('blmpop', '0', 2, 'a', 'b', 'LEFT')).toEqual(['a', 'b']);
    expect(keys('zunion', '2', 'a', 'b', 'WEIGHTS', '1', '2')).toEqual(['a', 'b']);
    expect(keys('zunionstore', 'd', '2', 'a', 'b')).toEqual(['d', 'a', 'b']);
    expect(keys('sintercard', '2', 'a', 'b', 'LIMIT', '1')).toEqual(['a', 'b']);
    expect(keys('geosearchstore', 'd', 'a', 'FROMMEMBER', 'm')).toEqual(['d', 'a']);
    expect(keys('georadius', 'a', '1', '2', '3', 'm', 'store', 'd')).toEqual(['a', 'd']);
    expect(keys('copy', 'a', 'd', 'REPLACE')).toEqual(['a', 'd']);
    expect(keys('eval', 'return 1', '2', 'a', 'b', 'argument')).toEqual(['a', 'b']);
    expect(keys('fcall', 'f', Buffer.from('1'), 'a', 'argument')).toEqual(['a']);
    expect(keys('msetex', '2', 'a', '1', 'b', '2', 'EX', '3')).toEqual(['a', 'b']);
    expect(keys('xread', 'COUNT', '1', 'STREAMS', 'a', 'b', '0', '0')).toEqual(['a', 'b']);
    expect(keys('xreadgroup', 'GROUP', 'streams', 'STREAMS', 'STREAMS', 'a', '>')).toEqual(['a']);
  });

  it('include, for SORT, its patterns with a star and its destination', () => {
    expect(keys('sort', 'a', 'BY', 'w_*', 'GET', '#', 'GET', 'o_*->f', 'STORE', 'd')).toEqual([
      'a',
      'w_*',
      'o_*->f',
      'd',
    ]);
    expect(keys('sort', 'a', Buffer.from('by'), Buffer.from('w_*'), Buffer.from('Store'), 'd')).toEqual([
      'a',
      'w_*',
      'd',
    ]);
    expect(keys('sort', 'a', 'BY', 'nosort', 'LIMIT', 'GET', 'x*', 'DESC')).toEqual(['a']);
    expect(keys('sort_ro', 'a', 'GET')).toEqual(['a']);
  });

  it('are, for MIGRATE, those after KEYS, even if a password reads KEYS', () => {
    expect(keys('migrate', 'h', '1', 'a', '0', '10')).toEqual(['a']);
    expect(keys('migrate', 'h', '1', '', '0', '10', 'COPY', 'KEYS', 'a', 'b')).toEqual(['a', 'b']);
    expect(keys('migrate', 'h', '1', Buffer.alloc(0), '0', '10', 'AUTH', 'keys', 'KEYS', 'a')).toEqual(['a']);
    expect(keys('migrate', 'h', '1', '', '0', '10', 'AUTH2', 'keys', 'keys', 'keys', 'a')).toEqual(['a']);
  });

  it('are not channels', () => {
    for (const name of ['publish', 'spublish', 'subscribe', 'ssubscribe', 'sunsubscribe']) {
      expect(keys(name, 'channel', 'message'), name).toEqual([]);
    }
    expect(distributionOf('spublish', ['channel', 'message'])).toEqual({ kind: 'channel', index: 0 });
  });

  it('are, for module commands, the first argument or the known positions', () => {
    expect(keys('json.set', 'a', '$', '1')).toEqual(['a']);
    expect(keys('bf.add', 'a', 'x')).toEqual(['a']);
    expect(keys('json.mget', 'a', 'b', '$')).toEqual(['a', 'b']);
    expect(keys('json.mset', 'a', '$', '1', 'b', '$', '2')).toEqual(['a', 'b']);
    expect(keys('ts.madd', 'a', '1', '1', 'b', '1', '2')).toEqual(['a', 'b']);
    expect(keys('ts.mget', 'FILTER', 'x=y')).toEqual([]);
    expect(keys('ft.search', 'index', '*')).toEqual([]);
  });

  it('are none where a count is invalid, however large', () => {
    for (const count of ['1e9', 'Infinity', '4294967296', '2.5', '-1', '', ' 1', '0x1', '3']) {
      expect(keys('eval', 'return 1', count, 'a', 'b'), count).toEqual([]);
      expect(keys('zunion', count, 'a', 'b'), count).toEqual([]);
    }
  });

  it('are always among the arguments, for any arguments at all', () => {
    const argument = fc.oneof(fc.constantFrom('', '0', '1', '3', 'STREAMS', 'KEYS', 'BY', 'STORE', 'a*'), fc.string());
    fc.assert(
      fc.property(fc.constantFrom(...list, 'json.set', 'json.mget', 'nosuch'), fc.array(argument), (name, args) => {
        const indexes = keysOf(name, args);
        expect(indexes.every((index) => Number.isInteger(index) && index >= 0 && index < args.length)).toBe(true);
        expect(new Set(indexes).size).toBe(indexes.length);
        // And no argument makes it throw.
        distributionOf(name, args);
        isReadOnly(name, args);
        blocking(name, args);
        if (hasKeys(distributionOf(name, args))) replicationOf(name, args, 0);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('the table of read-only commands', () => {
  it.each([
    ['get', ['a'], true],
    ['object', ['ENCODING', 'a'], true],
    ['memory', ['usage', 'a'], true],
    ['memory', ['PURGE'], false],
    ['xinfo', ['STREAM', 'a'], true],
    ['eval_ro', ['return 1', '1', 'a'], true],
    ['eval', ['return 1', '1', 'a'], false],
    ['dump', ['a'], true],
    ['xread', ['STREAMS', 'a', '0'], true],
    ['xreadgroup', ['GROUP', 'g', 'c', 'STREAMS', 'a', '>'], false],
    ['ping', [], true],
    ['sort', ['a'], false],
    ['sort_ro', ['a'], true],
    ['georadius', ['a', '1', '2', '3', 'm'], false],
    ['script', ['EXISTS', 'x'], true],
    ['script', ['LOAD', 'return 1'], false],
    ['script', [], false],
    ['wait', ['1', '0'], false],
    ['publish', ['a', 'b'], false],
    ['json.get', ['a'], false],
    ['nosuch', ['a'], false],
  ] as const)('says for %s %j: %s', (name, args, expected) => {
    expect(isReadOnly(name, args)).toBe(expected);
  });
});

describe('the table of commands that wait', () => {
  it.each([
    ['blpop', ['a', 'b', '1.5'], 1500],
    ['brpop', ['a', 0], Number.POSITIVE_INFINITY],
    ['bzpopmin', ['a', Buffer.from('2')], 2000],
    ['bzpopmax', ['a', '0.0001'], 1],
    ['brpoplpush', ['a', 'b', '3'], 3000],
    ['blmove', ['a', 'b', 'LEFT', 'RIGHT', '4'], 4000],
    ['blmovem', ['a', 'b', 'LEFT', 'RIGHT', '4', 'COUNT', '2', 'BULK'], 4000],
    ['blmpop', ['5', '1', 'a', 'LEFT'], 5000],
    ['bzmpop', ['0', '1', 'a', 'MIN'], Number.POSITIVE_INFINITY],
    ['wait', ['1', '100'], 100],
    ['wait', ['1', '0'], Number.POSITIVE_INFINITY],
    ['waitaof', ['1', '0', '100'], 100],
    ['xread', ['COUNT', '1', 'block', '50', 'STREAMS', 'a', '$'], 50],
    ['xread', ['BLOCK', '0', 'STREAMS', 'a', '$'], Number.POSITIVE_INFINITY],
    ['xreadgroup', ['GROUP', 'BLOCK', 'c', 'NOACK', 'BLOCK', '7', 'STREAMS', 'a', '>'], 7],
    // Refused at once by the server.
    ['blpop', ['a', 'x'], 0],
    ['blpop', ['a', '-1'], 0],
    ['blpop', [], 0],
  ] as const)('says for %s %j: at most %s ms', (name, args, maxMs) => {
    expect(blocking(name, args)).toEqual({ blocks: true, maxMs });
  });

  it.each([
    ['get', ['BLOCK', '1']],
    ['xread', ['STREAMS', 'BLOCK', '0']],
    ['xread', ['COUNT', '1', 'STREAMS', 'a', '0']],
    ['xreadgroup', ['GROUP', 'BLOCK', '5', 'STREAMS', 'a', '>']],
    ['nosuch', ['a', '0']],
  ] as const)('does not contain %s %j', (name, args) => {
    expect(blocking(name, args)).toEqual({ blocks: false });
  });

  it('contains every command that has the flag', () => {
    for (const name of list) {
      if (!facts[name]!.flags.includes('blocking') || name.startsWith('xread')) continue;
      expect(blocking(name, argumentsFor(name)).blocks, name).toBe(true);
    }
  });
});
