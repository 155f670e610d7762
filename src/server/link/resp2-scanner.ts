/**
 * Reads what a server sends over RESP2 only as far as its types go, element after element, without keeping anything.
 *
 * The parser of ioredis 6 takes the types of RESP3 too, pushes among them: one that was not asked for can turn the client into a
 * subscriber, and one without its parts throws where nobody can catch it.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

import { carriageReturn, lineFeed, minus, nine, type, zero } from '../direct/resp-bytes.ts';
import { ProtocolError } from '../direct/resp-errors.ts';

const { simple, error, integer, bulk, array } = type;

const violation = (): Error => new ProtocolError('Something came that RESP2 does not have.');

export class Resp2Scanner {
  /** Bytes of a bulk string still to come, its line end included. */
  #skipBytes = 0;
  /** Type of the line that has begun; 0: none has. */
  #kind = 0;
  #isAtLineEnd = false;
  /** Value of the length being read; -1: no digit has come. */
  #number = -1;
  #isNegative = false;

  /** @throws {ProtocolError} From then on the rest is not to be read. */
  write(piece: Buffer): void {
    const { length } = piece;
    let at = this.#skipBytes;
    this.#skipBytes = 0;
    while (at < length) {
      if (this.#isAtLineEnd) {
        if (piece[at++] !== lineFeed) throw violation();
        at += this.#endLine();
      } else if (this.#kind === 0) {
        this.#begin(piece[at++]!);
      } else if (this.#kind === bulk || this.#kind === array) {
        this.#readDigit(piece[at++]!);
      } else {
        const end = piece.indexOf(carriageReturn, at);
        this.#isAtLineEnd = end !== -1;
        at = end === -1 ? length : end + 1;
      }
    }
    this.#skipBytes = at - length;
  }

  #begin(kind: number): void {
    if (kind !== simple && kind !== error && kind !== integer && kind !== bulk && kind !== array) throw violation();
    this.#kind = kind;
    this.#number = -1;
    this.#isNegative = false;
  }

  #readDigit(byte: number): void {
    const isFirst = this.#number === -1;
    if (byte >= zero && byte <= nine) this.#number = (isFirst ? 0 : this.#number * 10) + byte - zero;
    else if (byte === carriageReturn && !isFirst) this.#isAtLineEnd = true;
    else if (byte === minus && isFirst && !this.#isNegative) this.#isNegative = true;
    else throw violation();
  }

  /** @returns How many bytes come before the next line. */
  #endLine(): number {
    const bytes = this.#kind === bulk && !this.#isNegative ? this.#number + 2 : 0;
    this.#kind = 0;
    this.#isAtLineEnd = false;
    return bytes;
  }
}
