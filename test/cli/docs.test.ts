import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const pageAt = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
// Those that show no output have no prompt either.
const consoleBlock = /^```console\n(\$ [\s\S]*?)^```$/gm;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shardring-docs-'));
  const command = join(folder, 'shardring');
  await writeFile(
    command,
    `#!/bin/sh\nexec '${process.execPath}' --import '${import.meta.resolve('tsx')}' '${main}' "$@"\n`,
  );
  await chmod(command, 0o755);
});

afterAll(() => rm(folder, { recursive: true }));

/** What a reader who types the line sees, the standard error included. */
function typed(line: string): Promise<string> {
  const { FORCE_COLOR: _, ...env } = process.env;
  const options = { cwd: folder, env: { ...env, PATH: `${folder}:${env.PATH}` } };
  return new Promise((resolve) =>
    execFile('sh', ['-c', `{ ${line}\n} 2>&1`], options, (_error, stdout) => resolve(stdout)),
  );
}

async function withOutput(block: string): Promise<string> {
  const lines = block.split('\n').filter((line) => line.startsWith('$ '));
  const outputs = await Promise.all(lines.map(async (line) => `${line}\n${await typed(line.slice(2))}`));
  return `\`\`\`console\n${outputs.join('')}\`\`\``;
}

// `npx vitest run test/cli/docs.test.ts -u`, in this order, writes the outputs into the pages.
it.each([
  ['docs/cli.md', 6],
  ['README.md', 1],
] as const)(
  'every example of %s on the command line prints what the page says',
  async (path, least) => {
    const page = pageAt(path);
    const text = await readFile(page, 'utf8');
    const blocks = await Promise.all([...text.matchAll(consoleBlock)].map(([, block]) => withOutput(block!)));
    expect(blocks.length).toBeGreaterThanOrEqual(least);
    let next = 0;
    await expect(text.replace(consoleBlock, () => blocks[next++]!)).toMatchFileSnapshot(page);
  },
  60_000,
);
