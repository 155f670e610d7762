import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandArgument } from '../../src/server/link/client.ts';
import { Call, type Changes, type CommandSpec } from '../../src/server/sending/call.ts';
import { batchMaxKeyBytes, type ReadBatch } from '../../src/server/sending/read-batch.ts';
import { planSendings, type Sending } from '../../src/server/sending/send-plan.ts';

function callOf(name: string, args: readonly CommandArgument[], extra: Partial<CommandSpec> = {}): Call {
  const spec: CommandSpec = { operation: name, name, isWrite: false, decode: (reply) => reply, ...extra };
  const call = new Call(spec, args, { timeoutMs: 1_000, deadlineMs: 1_000, signal: undefined });
  call.isOpen = true;
  return call;
}

const get = (key: CommandArgument) => callOf('get', [key], { changes: 'nothing', coalesces: true });
const set = (key: CommandArgument, value: CommandArgument) => callOf('set', [key, value], { changes: 'first key' });

/** Shows a plan as text: 'mget a b, set a, get c'. */
const textOf = (sendings: readonly Sending[]) =>
  sendings
    .map((sending) =>
      sending instanceof Call
        ? `${sending.spec.name} ${sending.args[0] ?? ''}`.trim()
        : `mget ${sending.keys.join(' ')}`,
    )
    .join(', ');

const planned = (...calls: Call[]) => textOf(planSendings(calls, 512));

describe('a plan of what to send', () => {
  it('gathers GETs into one MGET, past writes of other keys', () => {
    expect(planned(get('a'), set('x', 1), get('b'), set('y', 1), get('c'))).toBe('set x, set y, mget a b c');
  });

  it('sends the MGET before a write of one of its keys, and reads after the write later', () => {
    expect(planned(get('a'), get('b'), set('a', 1), get('a'), get('c'))).toBe('mget a b, set a, mget a c');
  });

  it('leaves a lone GET as it is', () => {
    expect(planned(get('a'))).toBe('get a');
    expect(planned(get('a'), set('a', 1))).toBe('get a, set a');
  });

  it('asks once for a key that several callers ask for', () => {
    const [batch] = planSendings([get('a'), get('b'), get('a')], 512) as [ReadBatch];
    expect(batch.keys).toEqual(['a', 'b']);
    expect(batch.slots).toEqual([0, 1, 0]);
  });

  it.each<[string, Changes | undefined, string]>([
    ['not said', undefined, 'mget a b, other z, get c'],
    ['anything', 'anything', 'mget a b, other z, get c'],
    ['nothing', 'nothing', 'other z, mget a b c'],
    ['the first key', 'first key', 'other z, mget a b c'],
    ['keys that a function finds', (args) => args.slice(1), 'mget a b, other z, get c'],
    ['other keys that a function finds', () => ['y'], 'other z, mget a b c'],
  ])('puts GETs off past a command only if it cannot concern them: it changes %s', (_title, changes, expected) => {
    expect(planned(get('a'), get('b'), callOf('other', ['z', 'b'], { changes }), get('c'))).toBe(expected);
  });

  it('knows a key in any of its forms', () => {
    expect(planned(get('7'), get('b'), set(7, 1))).toBe('mget 7 b, set 7');
    expect(planned(get(Buffer.from('é')), get('b'), set('é', 1))).toBe('mget é b, set é');
    // As the client writes it, a lone surrogate is U+FFFD.
    expect(planned(get('\ud800'), get('b'), set('\ufffd', 1)).endsWith('set \ufffd')).toBe(true);
    const [noText, other] = [Buffer.of(0xff), Buffer.of(0xfe)];
    expect(planSendings([get(noText), get('b'), set(Buffer.of(0xff), 1)], 512)).toHaveLength(2);
    for (const unlike of [other, '\u00ff']) {
      expect(textOf(planSendings([get(noText), get('b'), set(unlike, 1)], 512)).startsWith('set')).toBe(true);
    }
  });

  it('leaves out calls that have ended', () => {
    const [ended, other] = [get('a'), set('x', 1)];
    ended.isOpen = false;
    other.isOpen = false;
    expect(planned(ended, get('b'), other, get('c'))).toBe('mget b c');
  });

  it('keeps an MGET within its number of keys, and within 64 kB of keys', () => {
    const keys = Array.from({ length: 1_000 }, (_, index) => `key ${index}`);
    const batches = planSendings(keys.map(get), 512) as ReadBatch[];
    expect(batches.map((batch) => batch.keys.length)).toEqual([512, 488]);
    expect(batches.flatMap((batch) => batch.keys)).toEqual(keys);

    const long = ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(batchMaxKeyBytes / 2 - 1));
    const bytes = (planSendings(long.map(get), 512) as ReadBatch[]).map((sending) =>
      sending instanceof Call ? 1 : sending.keys.length,
    );
    expect(bytes).toEqual([2, 2, 1]);
  });

  it('gathers nothing where at most one key may be asked for', () => {
    expect(textOf(planSendings([get('a'), get('b'), get('a')], 1))).toBe('get a, get b, get a');
  });

  it('gives every call what it would see if all were sent one by one', () => {
    const key = fc.constantFrom<CommandArgument>('a', 'b', Buffer.from('b'), 'c', '7', 7);
    const call = fc.oneof(
      { weight: 4, arbitrary: key.map(get) },
      { weight: 2, arbitrary: fc.tuple(key, fc.nat(99)).map(([at, value]) => set(at, value)) },
      fc.tuple(key, key).map((args) => callOf('swap', args, { changes: (given) => given })),
      fc.constant('flush').map((name) => callOf(name, [])),
    );
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), (calls, maxKeys) => {
        expect(resultsOf(planSendings(calls, maxKeys))).toEqual(resultsOf(calls));
      }),
    );
  });
});

/** What each call gets from a server that executes the sendings in order. */
function resultsOf(sendings: readonly Sending[]): Map<Call, unknown> {
  const store = new Map<string, unknown>();
  const results = new Map<Call, unknown>();
  for (const sending of sendings) {
    if (!(sending instanceof Call)) {
      const reply = sending.keys.map((key) => store.get(`${key}`));
      for (const [index, call] of sending.calls.entries()) results.set(call, reply[sending.slots[index]!]);
      continue;
    }
    const [first, second] = sending.args.map(String) as [string, string];
    if (sending.spec.name === 'get') results.set(sending, store.get(first));
    else if (sending.spec.name === 'flush') store.clear();
    else if (sending.spec.name === 'set') store.set(first, second);
    else {
      const held = store.get(first);
      store.set(first, store.get(second));
      store.set(second, held);
    }
  }
  return results;
}
