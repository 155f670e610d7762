/**
 * Reads what a server sends over RESP2 only as far as its types go, element after element, without keeping anything.
 *
 * The parser of ioredis 6 takes the types of RESP3 too, pushes among them: one that was not asked for can turn the client into a
 * subscriber, and one without its parts throws where nobody can catch it.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

import { ProtocolError } from '../direct/resp-errors.ts';

const cr = 0x0d;
const lf = 0x0a;
const minus = 0x2d;
const digit0 = 0x30;
const digit9 = 0x39;
const status = 0x2b;
const refusal = 0x2d;
const integer = 0x3a;
const bulk = 0x24;
const array = 0x2a;

const violation = (): Error => new ProtocolError('Something came that RESP2 does not have.');

export class Resp2Scanner {
  /** Of a bulk string, its line end included: bytes still to come. */
  #skipBytes = 0;
  /** Of the line that has begun; 0: none has. */
  #type = 0;
  #isAtLineEnd = false;
  /** Of a length; -1: no digit has come. */
  #number = -1;
  #isNegative = false;

  /** @throws {ProtocolError} From then on the rest is not to be read. */
  write(piece: Buffer): void {
    const { length } = piece;
    let at = this.#skipBytes;
    this.#skipBytes = 0;
    while (at < length) {
      if (this.#isAtLineEnd) {
        if (piece[at++] !== lf) throw violation();
        at += this.#endLine();
      } else if (this.#type === 0) {
        this.#begin(piece[at++]!);
      } else if (this.#type === bulk || this.#type === array) {
        this.#readDigit(piece[at++]!);
      } else {
        const end = piece.indexOf(cr, at);
        this.#isAtLineEnd = end !== -1;
        at = end === -1 ? length : end + 1;
      }
    }
    this.#skipBytes = at - length;
  }

  #begin(type: number): void {
    if (type !== status && type !== refusal && type !== integer && type !== bulk && type !== array) throw violation();
    this.#type = type;
    this.#number = -1;
    this.#isNegative = false;
  }

  #readDigit(byte: number): void {
    const isFirst = this.#number === -1;
    if (byte >= digit0 && byte <= digit9) this.#number = (isFirst ? 0 : this.#number * 10) + byte - digit0;
    else if (byte === cr && !isFirst) this.#isAtLineEnd = true;
    else if (byte === minus && isFirst && !this.#isNegative) this.#isNegative = true;
    else throw violation();
  }

  /** @returns How many bytes come before the next line. */
  #endLine(): number {
    const bytes = this.#type === bulk && !this.#isNegative ? this.#number + 2 : 0;
    this.#type = 0;
    this.#isAtLineEnd = false;
    return bytes;
  }
}
