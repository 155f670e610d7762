/**
 * Cyclic redundancy checks as twemproxy and libhashkit put them to use.
 *
 *   crc32a  CRC-32 of IEEE 802.3 (reflected polynomial 0xedb88320)              32 bits
 *   crc32   bits 16 to 30 of it, libmemcached's choice                           15 bits
 *   crc16   CRC-16/XMODEM (polynomial 0x1021), never cut to 16 bits: what is shifted out of the low half stays in the
 *           high half, so that the result is no CRC of any standard              32 bits
 *
 * Positions of 15 bits are all below 2^15: on a ring of 32-bit points nearly every key then has the same node.
 */

import type { ByteHash } from './byte-hash.ts';

const table32 = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

const table16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0);
  return crc;
});

export const crc32a: ByteHash = (bytes, length) => {
  let crc = -1;
  for (let index = 0; index < length; index++) crc = (crc >>> 8) ^ table32[(crc ^ bytes[index]!) & 0xff]!;
  return ~crc >>> 0;
};

export const crc32: ByteHash = (bytes, length) => (crc32a(bytes, length) >>> 16) & 0x7fff;

export const crc16Unmasked: ByteHash = (bytes, length) => {
  let crc = 0;
  for (let index = 0; index < length; index++) crc = (crc << 8) ^ table16[((crc >>> 8) ^ bytes[index]!) & 0xff]!;
  return crc >>> 0;
};
