/**
 * Runs once before the tests of the `package` project: builds and packs the package, once for all of them.
 *
 * What tests get is the unpacked package and the list of what is in it. Each makes projects of its own with
 * `consumer.ts`, as some take away what others need.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

export interface PackedPackage {
  /** The package as it is published. */
  readonly tarball: string;
  /** The same, unpacked. */
  readonly folder: string;
  /** Paths in it, and what each takes in bytes. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

declare module 'vitest' {
  export interface ProvidedContext {
    packed: PackedPackage;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

export default function setup(project: TestProject): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'shardring-packed-'));
  // `npm pack` builds first (prepack), and what the build says comes before the JSON.
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', directory], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString();
  const [{ filename, files }] = JSON.parse(output.slice(output.indexOf('[\n')));
  const folder = join(directory, 'package');
  mkdirSync(folder);
  execFileSync('tar', ['-xzf', join(directory, filename), '-C', folder, '--strip-components=1']);
  project.provide('packed', { tarball: join(directory, filename), folder, files });
  return () => rmSync(directory, { recursive: true, force: true });
}
