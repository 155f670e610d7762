/** Traces: from any bytes to requests, or to an error that names the line. */

import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestsOf } from '../../examples/demo/trace/requests.ts';
import { countRequests, readTrace } from '../../examples/demo/trace/trace-file.ts';
import type { TraceRequest } from '../../examples/demo/trace/trace-request.ts';
import { unzstd } from '../../examples/demo/trace/unzstd.ts';

/**
 * `tiny.lis` is four lines that were typed in. The compressed ones were made of it, in this folder, by:
 *
 *   zstd --ultra -22 tiny.lis -o tiny.lis.zst
 *   (head -n 2 tiny.lis | zstd; tail -n 2 tiny.lis | zstd --no-check) > frames.lis.zst
 *   seq 1 60000 | awk '{ print ($1 * 7919) % 65537, 1, 0, 0 }' | zstd -3 > blocks.lis.zst
 */
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const parse = (text: string | Uint8Array, source = 'a.trace') => collect(requestsOf([Buffer.from(text)], source));

/** Cuts bytes at the given places, in any order, repeated ones giving empty chunks. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

const places = fc.array(fc.nat(), { maxLength: 30 });

describe('an ARC trace', () => {
  it('reads each block of a line once', async () => {
    expect(await parse('7 1 0 0\n40 3 0 9\n')).toEqual(['7', '40', '41', '42'].map((key) => ({ key, op: 'get' })));
  });

  it('may end without a line end, and have CR LF', async () => {
    expect(await parse('7 1 0 0\r\n8 1 0 0')).toEqual([
      { key: '7', op: 'get' },
      { key: '8', op: 'get' },
    ]);
  });

  it('does not build the reads of a line before they are asked for', async () => {
    const requests = requestsOf([Buffer.from(`0 ${2 ** 50} 0 0\n`)], 'a.trace');
    expect((await requests.next()).value).toEqual({ key: '0', op: 'get' });
    await requests.return();
  });

  it.each([
    ['1 1 0 0\n2 1 0\n', 'a.trace:2: expected 4 integers, got "2 1 0"'],
    ['1 1 0 0\n\n2 1 0 0\n', 'a.trace:2: expected 4 integers, got ""'],
    ['1 1 0 0\n2 1 0 0\n-3 1 0 0\n', 'a.trace:3: field 1: expected an integer of at least 0, got "-3"'],
    ['1 1 0 0\n2 0 0 0\n', 'a.trace:2: field 2 (count): expected at least 1 block, got 0'],
    [`1 1 0 0\n${2 ** 53 - 1} 1 0 0\n`, 'a.trace:2: fields 1 and 2: the last block is beyond 2^53'],
    ['1 1 0 0\n1 1e3 0 0\n', 'a.trace:2: field 2: expected an integer of at least 0, got "1e3"'],
  ])('names the line of %j', async (text, message) => {
    await expect(parse(text)).rejects.toThrow(expect.objectContaining({ name: 'TraceFormatError', message }));
  });
});

describe('a Twitter trace', () => {
  // The first two keys are shaped as those in the description of the published traces.
  const examples: [line: string, request: TraceRequest][] = [
    ['0,nz:u:eeW511W3dcH3de3d15ec,22,304,5,get,0', { key: 'nz:u:eeW511W3dcH3de3d15ec', op: 'get', valueBytes: 304 }],
    ['0,nz:u:eeW511W3dcH3de3d15ed,22,0,5,gets,0', { key: 'nz:u:eeW511W3dcH3de3d15ed', op: 'get' }],
    ['12,a b"ü{}\\,3,10,c1,set,60', { key: 'a b"ü{}\\', op: 'set', valueBytes: 10, ttlMs: 60_000 }],
    ['12,k,1,0,1,add,0', { key: 'k', op: 'set', valueBytes: 0 }],
    ['12,k,1,5,1,replace,0', { key: 'k', op: 'set', valueBytes: 5 }],
    ['12,k,1,5,1,cas,1', { key: 'k', op: 'set', valueBytes: 5, ttlMs: 1_000 }],
    ['12,k,1,5,1,append,0', { key: 'k', op: 'set', valueBytes: 5 }],
    ['12,k,1,5,1,prepend,0', { key: 'k', op: 'set', valueBytes: 5 }],
    ['12,k,1,0,1,delete,0', { key: 'k', op: 'delete' }],
    ['12,k,1,0,1,incr,0', { key: 'k', op: 'increment' }],
    ['12,,0,0,1,decr,0', { key: '', op: 'increment' }],
  ];

  it.each(examples)('reads %s', async (line, request) => {
    expect(await parse(`${line}\n`)).toEqual([request]);
  });

  it.each([
    ['0,k,1,2,3,get', 'a.trace:2: expected 7 fields between commas, got 6'],
    ['0,k,1,2,3,get,0,', 'a.trace:2: expected 7 fields between commas, got 8'],
    ['0,k,1,,3,get,0', 'a.trace:2: valueSize: expected an integer of at least 0, got ""'],
    ['0,k,1,2,3,get,-1', 'a.trace:2: ttl: expected an integer of at least 0, got "-1"'],
    [
      '0,k,1,2,3,touch,0',
      'a.trace:2: operation: expected one of get,gets,set,add,replace,cas,append,prepend,delete,incr,decr, got "touch"',
    ],
  ])('names the line of %s', async (line, message) => {
    await expect(parse(`0,k,1,2,3,get,0\n${line}\n`)).rejects.toThrow(message);
  });
});

describe('any trace', () => {
  it('gives the same requests however its bytes are cut', async () => {
    const key = fc.string({ unit: 'grapheme' }).filter((text) => !/[,\r\n]/.test(text) && text.isWellFormed());
    const line = fc.tuple(key, fc.constantFrom('get', 'set', 'delete', 'incr'), fc.nat(1_000), fc.nat(100));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1 }), places, fc.boolean(), async (lines, cuts, endsWithLine) => {
        const text = lines.map(([k, op, size, ttl]) => `1,${k},1,${size},c,${op},${ttl}`).join('\n');
        const bytes = Buffer.from(endsWithLine ? `${text}\n` : text);
        const whole = await collect(requestsOf([bytes], 'whole'));
        expect(whole.map((request) => request.key)).toEqual(lines.map(([k]) => k));
        expect(await collect(requestsOf(cut(bytes, cuts), 'cut'))).toEqual(whole);
      }),
    );
  });

  it('gives the same requests when the chunks share one buffer', async () => {
    const bytes = Buffer.from('1 1 0 0\n22 1 0 0\n333 1 0 0\n');
    const reused = Buffer.alloc(1);
    const chunks = function* () {
      for (const byte of bytes) {
        reused[0] = byte;
        yield reused;
      }
    };
    expect((await collect(requestsOf(chunks(), 'reused'))).map(({ key }) => key)).toEqual(['1', '22', '333']);
  });

  it('gives nothing for an empty file', async () => {
    expect(await parse('')).toEqual([]);
  });

  it('says what it expected when the first line has no known format', async () => {
    await expect(parse('{"name":1}\n')).rejects.toThrow(/^a\.trace:1: expected .*ARC.* or .*Twitter.*, got /);
  });

  it('refuses bytes that are not text, and names their line', async () => {
    const bad = Buffer.concat([Buffer.from('1,a,1,1,1,get,0\n1,'), Buffer.from([0xff]), Buffer.from(',1,1,1,get,0\n')]);
    await expect(parse(bad)).rejects.toThrow('a.trace:2: expected text in UTF-8, got other bytes');
  });

  it('refuses a line without end instead of collecting it', async () => {
    const endless = function* () {
      for (;;) yield Buffer.alloc(65_536, 'x');
    };
    await expect(collect(requestsOf(endless(), 'zeros'))).rejects.toThrow('zeros:1: expected a line of at most');
  });
});

describe('a compressed trace', () => {
  const tiny = readFileSync(fixture('tiny.lis'));

  it.each(['tiny.lis.zst', 'frames.lis.zst'])('gives the bytes it was made of, however it is cut: %s', async (name) => {
    const compressed = readFileSync(fixture(name));
    await fc.assert(
      fc.asyncProperty(places, async (cuts) => {
        const chunks = await collect(unzstd(cut(compressed, cuts), name));
        expect(Buffer.concat(chunks).equals(tiny)).toBe(true);
      }),
    );
  });

  it('is read whole when it has many blocks', async () => {
    const keys = (await collect(readTrace(fixture('blocks.lis.zst'), Number.POSITIVE_INFINITY))).map(({ key }) => key);
    expect(keys).toEqual(Array.from({ length: 60_000 }, (_, index) => `${((index + 1) * 7_919) % 65_537}`));
  });

  it('gives its first requests before the rest is read', async () => {
    const compressed = readFileSync(fixture('blocks.lis.zst'));
    let read = 0;
    const chunks = function* () {
      for (let start = 0; start < compressed.length; start += 4_096) {
        read++;
        yield compressed.subarray(start, start + 4_096);
      }
    };
    const requests = requestsOf(unzstd(chunks(), 'a.zst'), 'a.zst');
    await requests.next();
    await requests.return();
    expect(read).toBeLessThan(compressed.length / 4_096 / 2);
  });

  it('causes an error when it is cut off, and is not read as a shorter trace', async () => {
    const compressed = readFileSync(fixture('blocks.lis.zst'));
    for (const length of [3, 10, 1_000, compressed.length - 1]) {
      await expect(collect(unzstd([compressed.subarray(0, length)], 'a.zst'))).rejects.toThrow(
        /^a\.zst: cannot be decompressed/,
      );
    }
  });

  it('causes an error when it is not compressed', async () => {
    await expect(collect(unzstd([Buffer.from('1 1 0 0\n'.repeat(10))], 'a.zst'))).rejects.toThrow(
      /cannot be decompressed/,
    );
  });
});

describe('a trace file', () => {
  it('is read up to the limit', async () => {
    expect(await countRequests(fixture('tiny.lis'), Number.POSITIVE_INFINITY)).toBe(9);
    expect(await countRequests(fixture('tiny.lis.zst'), 4)).toBe(4);
    expect((await collect(readTrace(fixture('tiny.lis'), 3))).map(({ key }) => key)).toEqual(['1', '5', '6']);
  });

  it('causes an error of the file system when it is missing', async () => {
    await expect(countRequests(fixture('no-such-file'), 1)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
