/** What a trace is made of: requests to a cache, in the order in which they came. */

export type TraceOperation = 'get' | 'set' | 'delete' | 'increment';

export interface TraceRequest {
  /** Any string. */
  readonly key: string;
  readonly op: TraceOperation;
  /** Size of the value that was read or written, in bytes. Absent: the trace does not say. */
  readonly valueBytes?: number;
  /** Life of a value that is written, in milliseconds. Absent: it stays. */
  readonly ttlMs?: number;
}

/** What one line of a trace says, or what is wrong with it. */
export type ParsedLine = { readonly requests: Iterable<TraceRequest> } | { readonly problem: string };

/** A way to write requests down, one or more in a line. */
export interface TraceFormat {
  readonly name: string;
  /** What a line looks like, for messages. */
  readonly shape: string;
  /** @param line  Without its line end. */
  parse(line: string): ParsedLine;
}

/** A trace is not what its format says. Names the file and the line: a bad line is never skipped in silence. */
export class TraceFormatError extends Error {
  static {
    TraceFormatError.prototype.name = 'TraceFormatError';
  }

  /**
   * @param source      The file, as the user named it.
   * @param lineNumber  Counted from 1; undefined where the bytes could not be made into lines.
   * @param problem     As a clause: 'expected …, got …'.
   */
  constructor(
    readonly source: string,
    readonly lineNumber: number | undefined,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`${source}${lineNumber === undefined ? '' : `:${lineNumber}`}: ${problem}`, options);
  }
}

/** The text of a field for a message, cut so that a line of garbage stays one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 24 ? `${text.slice(0, 24)}…` : text);
}

/** A decimal integer from 0 to 2^53 - 1, or undefined. Stricter than `Number`, which takes '', '1e3' and '0x1' too. */
export function parseCount(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const count = Number(text);
  return Number.isSafeInteger(count) ? count : undefined;
}
