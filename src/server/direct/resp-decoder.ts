/**
 * RESP2 and RESP3 as they arrive: pieces of bytes, cut anywhere, go in; whole replies come out. Pure.
 *
 * Specifications: https://redis.io/docs/latest/develop/reference/protocol-spec/ (RESP2) and
 * https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md.
 *
 * Replies have the shapes that ioredis gives for either version (`replyMapping: 'legacy'`), which are those of RESP2:
 *
 *   + simple, $ bulk    Buffer                           = verbatim   Buffer, without its format
 *   : integer           number, the nearest one          , double     Buffer of its text
 *   ( big number        string of its text               # boolean    1 or 0
 *   _ null, $-1, *-1    null                             - ! error    ReplyError, within arrays too
 *   * array, ~ set      array                            % map        array: key, value, key, value, ...
 *   > push              told apart                       | attribute  read and left out
 *
 * The parts of RESP3 for replies of unknown length (`$?`, `*?`), which no server sends, are refused.
 *
 * A string is a view on the piece it came in, without a copy; who keeps it keeps that piece, 64 kB at most. Only one that
 * is cut is copied together: its room grows with what has come, so that an announced length alone costs 1 MB at most.
 * Every byte is looked at a bounded number of times, however they are cut. Nesting is not on the call stack.
 */

import { defaultMaxReplyBytes, elementBytes, tooLong } from '../link/reply-limit.ts';
import { cleanTextOf } from '../link/server-text.ts';
import { carriageReturn, lineFeed, nine, type, zero } from './resp-bytes.ts';
import { ProtocolError, ReplyError } from './resp-errors.ts';
import {
  checkBigNumber,
  checkDouble,
  maxItems,
  maxStringBytes,
  parseBoolean,
  parseCount,
  parseInteger,
} from './resp-numbers.ts';

export interface ReplyListener {
  onReply(reply: unknown): void;
  onError(error: ReplyError): void;
  /** A push: the server says something without having been asked. */
  onPush(items: unknown[]): void;
}

/** Most bytes of a line that is a number or a length. One that is text, an error's for one, may be as long as a reply. */
const maxNumberBytes = 64 * 1024;

/** Most arrays within one another. */
const maxDepth = 128;

/** Room for a cut string at first, in bytes. It doubles as it fills. */
const firstRoomBytes = 1024 * 1024;

/** Arrays up to this size get their room at once. A longer one has to prove its length by its items. */
const trustedSize = 1024;

const types: ReadonlySet<number> = new Set(Object.values(type));

/** An array, or what is read as one, of which items are still to come. */
interface Aggregate {
  readonly type: number;
  readonly size: number;
  readonly items: unknown[];
  count: number;
  readonly depth: number;
  readonly outer: Aggregate | undefined;
}

/** A string of which bytes are still to come. */
interface CutString {
  readonly type: number;
  /** With the line end behind it. */
  readonly size: number;
  room: Buffer;
  count: number;
}

export class RespDecoder {
  readonly #listener: ReplyListener;
  /** The innermost one. */
  #open: Aggregate | undefined;
  #cut: CutString | undefined;
  /** The beginning of a line whose end has not come. */
  #line: Buffer[] = [];
  #lineBytes = 0;
  readonly #maxReplyBytes: number;
  /** Announced size of the reply that is being read. */
  #replyBytes = 0;

  /** @param maxReplyBytes  Most bytes of one reply, of which each element counts for 64 more than it has. */
  constructor(listener: ReplyListener, maxReplyBytes = defaultMaxReplyBytes) {
    this.#listener = listener;
    this.#maxReplyBytes = maxReplyBytes;
  }

  /** @throws {ProtocolError} This is not the protocol. What comes after it cannot be understood any more. */
  write(piece: Buffer): void {
    let at = 0;
    if (this.#cut !== undefined) at = this.#continueString(this.#cut, piece);
    else if (this.#lineBytes > 0) at = this.#continueLine(piece);
    while (at < piece.length) at = this.#read(piece, at);
  }

  /** Reads what begins at `start`. Returns where the next begins, as all methods here that return a number. */
  #read(piece: Buffer, start: number): number {
    const kind = piece[start]!;
    if (kind === type.bulk || kind === type.integer || kind === type.array) {
      // A whole number that ends in this piece: the usual case by far.
      let at = start + 1;
      let number = 0;
      let byte = 0;
      for (; at < piece.length; at++) {
        byte = piece[at]!;
        if (byte < zero || byte > nine) break;
        number = number * 10 + (byte - zero);
      }
      const digits = at - start - 1;
      if (byte === carriageReturn && digits > 0 && digits < 16 && at + 1 < piece.length && piece[at + 1] === lineFeed) {
        if (kind === type.bulk) return this.#readString(kind, number, piece, at + 2);
        if (kind === type.integer) this.#give(number);
        else this.#begin(kind, number);
        return at + 2;
      }
    }
    return this.#readLine(piece, start);
  }

  #readLine(piece: Buffer, start: number): number {
    const end = lineEndOf(piece, start);
    if (end < piece.length) return this.#onLine(piece, start, end, piece, end + 1);
    if (!types.has(piece[start]!)) throw new ProtocolError('A reply begins with an unknown type.');
    return this.#keepLine(piece.subarray(start), piece);
  }

  #continueLine(piece: Buffer): number {
    const end = lineEndOf(piece, 0);
    if (end === piece.length) return this.#keepLine(piece, piece);
    const line = Buffer.concat([...this.#line, piece.subarray(0, end + 1)]);
    this.#line = [];
    this.#lineBytes = 0;
    return this.#onLine(line, 0, line.length - 1, piece, end + 1);
  }

  #keepLine(part: Buffer, piece: Buffer): number {
    this.#line.push(part);
    this.#lineBytes += part.length;
    const kind = this.#line[0]![0];
    if (kind === type.simple || kind === type.error) {
      if (this.#lineBytes > this.#maxReplyBytes) throw tooLong(this.#maxReplyBytes);
    } else if (this.#lineBytes > maxNumberBytes) {
      throw new ProtocolError('A line is too long.');
    }
    return piece.length;
  }

  /** @param end  Of the line feed. What follows the line begins at `at` of `piece`. */
  #onLine(line: Buffer, start: number, end: number, piece: Buffer, at: number): number {
    const kind = line[start]!;
    if (end - 1 === start || line[end - 1] !== carriageReturn) throw new ProtocolError('A line has no proper end.');
    switch (kind) {
      case type.simple:
        this.#give(line.subarray(start + 1, end - 1));
        return at;
      case type.error:
        this.#refuse(line.subarray(start + 1, end - 1));
        return at;
      case type.integer:
        this.#give(parseInteger(textOf(line, start, end)));
        return at;
      case type.double:
        checkDouble(textOf(line, start, end));
        this.#give(line.subarray(start + 1, end - 1));
        return at;
      case type.bigNumber:
        this.#give(checkBigNumber(textOf(line, start, end)));
        return at;
      case type.boolean:
        this.#give(parseBoolean(textOf(line, start, end)));
        return at;
      case type.null:
        if (textOf(line, start, end) !== '') throw new ProtocolError('A null has a value.');
        this.#give(null);
        return at;
      case type.bulk:
      case type.bulkError:
      case type.verbatim:
        return this.#readString(kind, parseCount(textOf(line, start, end)), piece, at);
      case type.array:
      case type.set:
      case type.push:
      case type.map:
      case type.attribute:
        this.#begin(kind, parseCount(textOf(line, start, end)));
        return at;
      default:
        throw new ProtocolError('A reply begins with an unknown type.');
    }
  }

  /** @param size  In bytes; -1 for null. */
  #readString(kind: number, size: number, piece: Buffer, start: number): number {
    if (size === -1 && kind === type.bulk) {
      this.#give(null);
      return start;
    }
    if (size < 0 || size > maxStringBytes) throw new ProtocolError('A string has an impossible length.');
    this.#reserve(size);
    const end = start + size;
    if (end + 2 <= piece.length) {
      if (piece[end] !== carriageReturn || piece[end + 1] !== lineFeed) throw unended();
      this.#onString(kind, piece.subarray(start, end));
      return end + 2;
    }
    const room = Buffer.allocUnsafe(Math.min(size + 2, firstRoomBytes));
    this.#cut = { type: kind, size: size + 2, room, count: 0 };
    return start + this.#continueString(this.#cut, piece.subarray(start));
  }

  #continueString(cut: CutString, piece: Buffer): number {
    const taken = Math.min(cut.size - cut.count, piece.length);
    if (cut.count + taken > cut.room.length) {
      const room = Buffer.allocUnsafe(Math.min(cut.size, Math.max(2 * cut.room.length, cut.count + taken)));
      cut.room.copy(room, 0, 0, cut.count);
      cut.room = room;
    }
    piece.copy(cut.room, cut.count, 0, taken);
    cut.count += taken;
    if (cut.count === cut.size) {
      this.#cut = undefined;
      const end = cut.size - 2;
      if (cut.room[end] !== carriageReturn || cut.room[end + 1] !== lineFeed) throw unended();
      this.#onString(cut.type, cut.room.subarray(0, end));
    }
    return taken;
  }

  #onString(kind: number, bytes: Buffer): void {
    if (kind === type.bulk) {
      this.#give(bytes);
    } else if (kind === type.bulkError) {
      this.#refuse(bytes);
    } else {
      // Three letters and a colon: `txt:`, `mkd:`.
      if (bytes[3] !== type.integer) throw new ProtocolError('A verbatim string has no format.');
      this.#give(bytes.subarray(4));
    }
  }

  #begin(kind: number, announced: number): void {
    if (announced === -1 && kind === type.array) {
      this.#give(null);
      return;
    }
    const size = kind === type.map || kind === type.attribute ? 2 * announced : announced;
    if (size < 0 || size > maxItems) throw new ProtocolError('An array has an impossible length.');
    this.#reserve(size * elementBytes);
    const outer = this.#open;
    const depth = outer === undefined ? 1 : outer.depth + 1;
    if (depth > maxDepth) throw new ProtocolError('Arrays are nested too deeply.');
    if (kind === type.push && outer !== undefined) throw new ProtocolError('A push stands within a reply.');
    const items: unknown[] = size <= trustedSize ? new Array(size) : [];
    this.#open = { type: kind, size, items, count: 0, depth, outer };
    if (size === 0) this.#close(this.#open);
  }

  /** Before any room is taken: a length that is only announced costs nothing. */
  #reserve(bytes: number): void {
    this.#replyBytes += bytes;
    if (this.#replyBytes > this.#maxReplyBytes) throw tooLong(this.#maxReplyBytes);
  }

  #refuse(text: Buffer): void {
    const error = new ReplyError(cleanTextOf(text));
    if (this.#open === undefined) {
      this.#replyBytes = 0;
      this.#listener.onError(error);
    } else {
      this.#give(error);
    }
  }

  #give(value: unknown): void {
    const open = this.#open;
    if (open === undefined) {
      this.#replyBytes = 0;
      this.#listener.onReply(value);
    } else {
      open.items[open.count++] = value;
      if (open.count === open.size) this.#close(open);
    }
  }

  /** The aggregate is whole, and perhaps those that it is the last item of. */
  #close(whole: Aggregate): void {
    for (let closing: Aggregate | undefined = whole; closing !== undefined && closing.count === closing.size; ) {
      const { outer, items }: Aggregate = closing;
      this.#open = outer;
      if (closing.type === type.attribute) return;
      if (outer === undefined) this.#replyBytes = 0;
      if (closing.type === type.push) this.#listener.onPush(items);
      else if (outer === undefined) this.#listener.onReply(items);
      else outer.items[outer.count++] = items;
      closing = outer;
    }
  }
}

/** The place of the line feed, or the end of the piece. Most lines are so short that asking the engine takes longer. */
function lineEndOf(piece: Buffer, start: number): number {
  let at = start;
  while (at < piece.length && piece[at] !== lineFeed) at++;
  return at;
}

/** The text of a line, without its type and its end. */
const textOf = (line: Buffer, start: number, end: number) => line.toString('latin1', start + 1, end - 1);

const unended = () => new ProtocolError('A string has no proper end.');
