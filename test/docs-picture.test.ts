import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { root } from './support/doc-examples.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('the picture of a node that joins', () => {
  const page = 'docs/rebalancing.md';
  const [, words, file] = /!\[([^\]]+)\]\(([^)]+\.svg)\)/.exec(read(page))!;
  const path = `docs/${file!}`;

  it('is what the command beside it draws', async () => {
    const command = /`shardring (plan [^`]*) --svg FILE`/.exec(read(page))![1]!;
    const folder = mkdtempSync(join(tmpdir(), 'shardring-'));
    try {
      const file = join(folder, 'ring.svg');
      const args = [join(root, 'node_modules/tsx/dist/cli.mjs'), join(root, 'src/cli/main.ts')];
      await promisify(execFile)(process.execPath, [...args, ...command.split(' '), '--svg', file]);
      expect(readFileSync(file, 'utf8')).toBe(read(path));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says in words what it shows', () => {
    expect(words!.length).toBeGreaterThan(40);
  });

  it('is named by the README, where npm can show only text', () => {
    expect(read('README.md')).toContain(`\`${path}\``);
  });
});
