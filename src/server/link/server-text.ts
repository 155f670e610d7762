/**
 * Text that a server or a system has said, as it may reach people: cut, and without characters that steer a terminal.
 *
 * A server may say what others have written to it, and of any length; what it says ends up in logs and on screens. Pure.
 */

/** Characters, the sign that something is missing among them. The longest texts of servers themselves have about 200. */
export const maxServerTextLength = 500;

/** Bytes that are looked at: more cannot count, as a character has at most four. */
const maxServerTextBytes = 4 * maxServerTextLength;

/** Controls (escape sequences begin with one), line and paragraph ends, and what turns the direction of writing. */
const steering = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** The same text where there is nothing to take away. */
export function cleanText(text: string): string {
  const isLong = text.length > maxServerTextLength;
  const start = isLong ? `${text.slice(0, maxServerTextLength - 1).toWellFormed()}…` : text;
  return start.replace(steering, ' ');
}

/** @param bytes  UTF-8, of any length. */
export const cleanTextOf = (bytes: Buffer): string => cleanText(bytes.toString('utf8', 0, maxServerTextBytes));

/** Cleans what the error says, and says in its stack. Returns the same error. */
export function cleanError<Cleaned extends Error>(error: Cleaned): Cleaned {
  const { message, stack } = error;
  const text = cleanText(message);
  if (text === message) return error;
  error.message = text;
  // The stack begins with what the message was when the error was made.
  const frames = stack?.indexOf('\n    at ') ?? -1;
  error.stack = `${error.name}: ${text}${frames === -1 ? '' : stack!.slice(frames)}`;
  return error;
}
