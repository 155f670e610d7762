import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the linter says of a file of src with this text, under the rules of this project. */
function lint(text: string): { status: number | null; output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'shardring-lint-'));
  try {
    for (const rules of ['biome.json', 'lint']) cpSync(join(root, rules), join(folder, rules), { recursive: true });
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src/sample.ts'), text);
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
    const { status, stdout, stderr } = spawnSync(process.execPath, [biome, 'lint', 'src'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the linter', () => {
  it('refuses AbortSignal.any, whose signals stay in memory on Node.js 22, and says what to use', () => {
    const { status, output } = lint('export const signal = AbortSignal.any([AbortSignal.timeout(1)]);\n');
    expect(status).not.toBe(0);
    expect(output).toContain('Use onAbort of runtime/abort.ts');
  });

  it.each([
    'export const signal = AbortSignal?.any([]);',
    'export const signal = globalThis.AbortSignal.any([]);',
    'const { any } = AbortSignal;\nexport { any };',
  ])('refuses AbortSignal.any however it is reached: %s', (text) => {
    expect(lint(`${text}\n`).output).toContain('Use onAbort of runtime/abort.ts');
  });

  it('accepts other signals', () => {
    expect(lint('export const signal = AbortSignal.timeout(1);\n').status).toBe(0);
  });
});
