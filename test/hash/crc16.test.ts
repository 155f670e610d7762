import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16, crc16Bytes } from '../../src/hash/crc16.ts';
import { anyKey } from '../support/arbitraries.ts';

/** Division of polynomials over GF(2), one bit at a time, as the definition has it: no table and no register of a byte. */
function remainder(bytes: Uint8Array): number {
  let register = 0;
  for (const byte of [...bytes, 0, 0]) {
    for (let bit = 7; bit >= 0; bit--) {
      register = (register << 1) | ((byte >> bit) & 1);
      if (register & 0x10000) register ^= 0x11021;
    }
  }
  return register;
}

describe('crc16', () => {
  it('is the remainder of the polynomial division, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(crc16Bytes(bytes, bytes.length)).toBe(remainder(bytes));
      }),
    );
  });

  it('is that of the UTF-8 bytes, for any string and any part of one', () => {
    fc.assert(
      fc.property(anyKey, fc.nat(20), fc.nat(20), (text, from, length) => {
        const start = Math.min(from, text.length);
        const end = Math.min(start + length, text.length);
        expect(crc16(text)).toBe(remainder(new TextEncoder().encode(text)));
        expect(crc16(text, start, end)).toBe(remainder(new TextEncoder().encode(text.slice(start, end))));
      }),
      { numRuns: 1_000 },
    );
  });

  it('has the check value of CRC-16/XMODEM', () => {
    expect(crc16('123456789')).toBe(0x31c3);
    expect(crc16('')).toBe(0);
  });
});
