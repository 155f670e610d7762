/**
 * CRC-16/XMODEM, the checksum by which Redis Cluster finds a key's slot.
 *
 * Source: "Redis cluster specification", section "Key distribution model" and appendix A,
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/.
 *
 *   width 16   polynomial x^16 + x^12 + x^5 + 1 (0x1021)   initial value 0   no reflection   no final xor
 *   check: crc16 of "123456789" is 0x31c3
 */

import { utf8Of } from './utf8.ts';

const polynomial = 0x1021;

/** table[b] is what is left of the byte b after it was pushed through the register. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let register = byte << 8;
  for (let bit = 0; bit < 8; bit++) register = register & 0x8000 ? (register << 1) ^ polynomial : register << 1;
  return register;
});

// Captured once, for the reason that `xxh32.ts` gives.
const charCodeAt = String.prototype.charCodeAt;

/**
 * The checksum of the UTF-8 bytes of the characters [start, end) of a text.
 * @returns  An integer in [0, 2^16).
 */
export function crc16(text: string, start = 0, end = text.length): number {
  let register = 0;
  for (let index = start; index < end; index++) {
    const code = charCodeAt.call(text, index);
    if (code >= 0x80) {
      const { bytes, length } = utf8Of(text.slice(start, end));
      return crc16Bytes(bytes, length);
    }
    register = pushByte(register, code);
  }
  return register;
}

/** The checksum of the first `length` bytes. */
export function crc16Bytes(bytes: Uint8Array, length: number): number {
  let register = 0;
  for (let index = 0; index < length; index++) register = pushByte(register, bytes[index]!);
  return register;
}

function pushByte(register: number, byte: number): number {
  return ((register << 8) & 0xffff) ^ table[(register >>> 8) ^ byte]!;
}
