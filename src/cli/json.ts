/** JSON for people and programs alike: indented, but with each pair of numbers on one line. */
export function toJson(value: unknown): string {
  // A line break in JSON text is never inside a string, so only arrays can match.
  const pair = /\[\n\s+(\d+),\n\s+(\d+)\n\s+\]/g;
  return `${JSON.stringify(value, null, 2).replace(pair, '[$1, $2]')}\n`;
}
