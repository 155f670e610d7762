/** A host of files in memory, for commands that run without a process. */

import type { Host } from '../../src/cli/host.ts';

export class MemoryHost implements Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  readonly files: Map<string, string>;

  constructor(given: Partial<Omit<Host, 'readText' | 'writeText'>> & { files?: Record<string, string> } = {}) {
    this.env = given.env ?? {};
    this.isTerminal = given.isTerminal ?? false;
    this.columns = given.columns;
    this.files = new Map(Object.entries(given.files ?? {}));
  }

  readonly readText = async (path: string) => {
    const text = this.files.get(path);
    if (text === undefined) throw new Error(`no such file: ${path}`);
    return text;
  };

  readonly writeText = async (path: string, text: string) => {
    this.files.set(path, text);
  };
}
