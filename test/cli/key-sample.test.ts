import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseKeySample } from '../../src/cli/key-sample.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

const parse = (text: string) => [...parseKeySample(text)];

it('a key stands alone or with its bytes after a tab', () => {
  expect(parse('a\nb\t12\nc\td\t3\n')).toEqual(['a', ['b', 12], ['c\td', 3]]);
});

it('empty lines, Windows line ends and a missing last line end make no difference', () => {
  expect(parse('a\r\n\r\n\nb\t1\r\nc')).toEqual(['a', ['b', 1], 'c']);
  expect(parse('')).toEqual([]);
});

it('any keys without line ends come back from lines with a size', () => {
  const key = fc.string({ unit: 'binary' }).filter((text) => !/[\r\n]/.test(text));
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.nat())), (entries) => {
      expect(parse(entries.map(([text, bytes]) => `${text}\t${bytes}\n`).join(''))).toEqual(entries);
    }),
  );
});

it('a size that is not a number is refused with its line, without showing the key', () => {
  const attempt = () => parse('a\nsecret\tlarge\n');
  expect(attempt).toThrow(UsageError);
  expect(attempt).toThrow('line 2');
  expect(attempt).not.toThrow('secret');
});
