import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeKey, encodeKey, isWellFormed } from '../../src/server/sending/key-bytes.ts';

/** Strings of any 16-bit code units, with many surrogates among them, lone and in pairs. */
const anyString = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0xd7f0, max: 0xe010 }),
      fc.constantFrom(0x61, 0xe9),
    ),
  )
  .map((units) => String.fromCharCode(...units));

const bytesOf = (key: string) => Buffer.from(encodeKey(key) as string);

describe('key bytes', () => {
  it('lead back to the key, whatever string it is', () => {
    fc.assert(
      fc.property(anyString, (key) => {
        expect(decodeKey(bytesOf(key))).toBe(key);
      }),
    );
  });

  it('differ for keys that differ', () => {
    fc.assert(
      fc.property(anyString, anyString, (one, other) => {
        expect(bytesOf(one).equals(bytesOf(other))).toBe(one === other);
      }),
    );
  });

  it('are the UTF-8 of a well-formed key, as every other client writes it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        expect(isWellFormed(key)).toBe(true);
        expect(encodeKey(key)).toBe(key);
        expect(bytesOf(key)).toEqual(Buffer.from(key, 'utf8'));
      }),
    );
  });

  it('are three bytes for a lone surrogate', () => {
    expect(encodeKey('a\ud800b')).toEqual(Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x62]));
    expect(encodeKey('\udfff')).toEqual(Buffer.from([0xed, 0xbf, 0xbf]));
    expect(encodeKey('\udc00\ud83d\ude00\ud800')).toEqual(Buffer.from('edb080f09f9880eda080', 'hex'));
  });

  it('differ for keys that differ in the surrogate alone', () => {
    expect(encodeKey('\ud800')).not.toEqual(encodeKey('\ud801'));
    expect(encodeKey('\ud800')).not.toEqual(encodeKey('\ufffd'));
  });

  it.each([
    ['a byte that UTF-8 never has', 'ff'],
    ['a code point cut short', '61e282'],
    ['a surrogate cut short', 'eda0'],
    ['an overlong form', 'c080'],
    ['a code point beyond the last', 'f4908080'],
    ['a pair of surrogates in six bytes (CESU-8)', 'eda080edb080'],
  ])('decode to undefined if they are the encoding of no string: %s', (_, hex) => {
    expect(decodeKey(Buffer.from(hex, 'hex'))).toBeUndefined();
  });

  it('decode only if encoding the result gives them again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (array) => {
        const bytes = Buffer.from(array);
        const key = decodeKey(bytes);
        if (key !== undefined) expect(bytesOf(key)).toEqual(bytes);
      }),
    );
  });
});
