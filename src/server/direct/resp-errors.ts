/**
 * The two ways a reply is no answer. Both have the names that ioredis' own errors have, by which `failure.ts` knows them;
 * nothing of a command is attached to them here, and what callers see of them is made there.
 */

/** The server refused a command, in its words. */
export class ReplyError extends Error {
  static {
    // On the prototype, so that `name` is not an own key, which loggers would print a second time.
    this.prototype.name = 'ReplyError';
  }
}

/** The bytes are not the protocol. The message is one sentence, and shows none of the bytes. */
export class ProtocolError extends Error {
  static {
    this.prototype.name = 'ParserError';
  }
}
