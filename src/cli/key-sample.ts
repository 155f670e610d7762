/** Keys from a file: one a line, each alone or followed by a tab and the bytes it takes. Empty lines are left out. */

import { UsageError } from './usage-error.ts';

/** @throws {UsageError} What follows a line's last tab is not a number of bytes. The message never holds the key. */
export function* parseKeySample(text: string): Generator<string | readonly [key: string, bytes: number]> {
  let lineNumber = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end);
    start = end + 1;
    lineNumber++;
    if (line === '') continue;
    const tab = line.lastIndexOf('\t');
    if (tab === -1) {
      yield line;
      continue;
    }
    const bytes = line.slice(tab + 1);
    if (!/^\d+$/.test(bytes))
      throw new UsageError(`--keys: expected a number of bytes after the tab of line ${lineNumber}`);
    yield [line.slice(0, tab), Number(bytes)];
  }
}
