import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { root } from './support/doc-examples.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('the picture of the README', () => {
  const path = /<img src="([^"]+)"/.exec(read('README.md'))![1]!;

  it('is what the command beside it draws', async () => {
    const command = /`shardring (plan [^`]*) --svg FILE`/.exec(read('README.md'))![1]!;
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

  it('is in the package', () => {
    const { files } = JSON.parse(read('package.json')) as { files: string[] };
    expect(files).toContain(path.split('/')[0]);
  });

  it('says in words what it shows', () => {
    expect(/<img [^>]*alt="([^"]+)"/.exec(read('README.md'))![1]!.length).toBeGreaterThan(40);
  });
});
