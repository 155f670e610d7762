/**
 * The examples of README and docs: every block of `ts`, or of `js` with a mode, is a program. `ts run` is run, and prints what the block of
 * `output` that follows it says; `ts redis` is run with real servers in place of `cache-1:6379` to `cache-3:6379`, or of the
 * ports 7001 to 7003 of `localhost`. One of `js` is also as it stands a program of JavaScript.
 */

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Example {
  /** Where it stands: `docs/ring.md:60`. */
  readonly place: string;
  readonly language: 'ts' | 'js';
  readonly kind: 'compile' | 'run' | 'redis';
  readonly code: string;
  readonly output: string | undefined;
}

export function findExamples(): Example[] {
  const pages = ['README.md', 'benchmarks/README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];
  return pages.filter((page) => page.endsWith('.md')).flatMap(examplesOf);
}

function examplesOf(page: string): Example[] {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap((block, index) => {
    const [language, mode] = block[1]!.split(' ');
    // Of JavaScript there are also pieces that show how a library is called.
    if (language !== 'ts' && !(language === 'js' && mode !== undefined)) return [];
    const next = blocks[index + 1];
    const line = text.slice(0, block.index).split('\n').length;
    return [
      {
        place: `${page}:${line}`,
        language,
        kind: mode === 'run' || mode === 'redis' ? mode : 'compile',
        code: block[2]!,
        output: next?.[1] === 'output' ? next[2] : undefined,
      },
    ];
  });
}

/** Writes the example as a module inside the project, where the package's own name leads to its sources. */
export function writeExample({ place, code }: Example): string {
  const folder = join(root, '.tmp/examples');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${place.replace(/[^a-z0-9]+/gi, '-')}.ts`);
  // `export {}` makes a module of an example that imports nothing.
  writeFileSync(file, `${code}\nexport {};\n`);
  return file;
}

/** What the program prints. Rejects when it fails. */
export async function runProgram(file: string, args: readonly string[] = []): Promise<string> {
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [tsx, file, ...args], { cwd: root, timeout: 150_000 });
  return stdout;
}
