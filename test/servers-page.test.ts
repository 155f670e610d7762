import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './support/doc-examples.ts';

const defaultFile = 'test/redis/servers.redis.test.ts';
const rows = readFileSync(join(root, 'docs/servers.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| .* \|$/.test(line) && !line.startsWith('| | '))
  .map((line) => line.split(' | '));

describe('the table of docs/servers.md', () => {
  it('has a row for each test of the servers, and a test for each row', () => {
    expect(rows.length).toBeGreaterThan(15);
    const named = rows.map((cells) => {
      const [, file = defaultFile, title] = /^(?:`([\w./-]+)`: )?(.+) \|$/.exec(cells.at(-1)!)!;
      expect(cells.length, title).toBe(6);
      expect(titlesIn(file), file).toContain(title);
      return title!;
    });
    expect(new Set(named)).toEqual(new Set([...named, ...titlesIn(defaultFile)]));
  });
});

/** Titles of a file's tests. */
function titlesIn(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  return [...source.matchAll(/^ *(?:it\(|row(?:<.*>)?\(\s*|\]\)\()'(.+)',/gm)].map(([, title]) => title!);
}
