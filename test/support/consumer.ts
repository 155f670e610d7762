/** A project that has the packed package installed: its dependencies beside it, and of its optional peers those asked for. */

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inject } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const run = promisify(execFile);

export class Consumer implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'shardring-consumer-'));

  /** @param peers  By the name that the package is to find: the name of the folder in our own `node_modules`. */
  constructor(peers: Readonly<Record<string, string>> = {}) {
    mkdirSync(this.#module(''), { recursive: true });
    cpSync(inject('packed').folder, this.#module('shardring'), { recursive: true });
    for (const name of Object.keys(manifest.dependencies)) this.link(name);
    for (const [name, folder] of Object.entries(peers)) this.link(name, folder);
    this.write('package.json', '{ "name": "consumer" }');
  }

  /** Installs one of our own packages, under its own name or another. */
  link(name: string, folder = name): void {
    mkdirSync(dirname(this.#module(name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', folder), this.#module(name));
  }

  unlink(name: string): void {
    rmSync(this.#module(name));
  }

  /** @returns The file's path. */
  write(file: string, text: string): string {
    const path = join(this.folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Runs a program, after writing it where a text is given. Rejects if it fails. */
  node(file: string, text?: string, args: readonly string[] = []): Promise<{ stdout: string; stderr: string }> {
    if (text !== undefined) this.write(file, text);
    return run(process.execPath, [join(this.folder, file), ...args], { cwd: this.folder, timeout: 150_000 });
  }

  /** What the compiler has to say: '' if all is well. @param typescript  The folder of the compiler. */
  async compile(tsconfig: object, typescript = 'typescript'): Promise<string> {
    const project = this.write('tsconfig.json', JSON.stringify(tsconfig));
    const tsc = join(root, 'node_modules', typescript, 'bin/tsc');
    return run(process.execPath, [tsc, '-p', project], { cwd: this.folder }).then(
      () => '',
      (error) => error.stdout || String(error),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #module(name: string): string {
    return join(this.folder, 'node_modules', name);
  }
}
