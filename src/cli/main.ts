#!/usr/bin/env node
/** The command `shardring`: the only file that touches the process. */

import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Host } from './host.ts';
import { commandOf, runCommandLine } from './run.ts';

const argv = process.argv.slice(2);
const [command, ...demoArguments] = commandOf(argv);
if (command === 'demo') {
  // It writes as it goes, and nothing else needs the cache and the client that it loads.
  const { runDemo } = await import('../../examples/demo/demo.ts');
  process.exitCode = await runDemo(demoArguments);
} else {
  await run(argv);
}

async function run(args: readonly string[]): Promise<void> {
  // A reader such as `head` may leave early; that is not a failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const { exitCode, stdout, stderr } = await runCommandLine(args, hostOf(process));
  // Not `process.exit`, which would cut off what a pipe has not taken yet.
  process.exitCode = exitCode;
  process.stdout.write(stdout);
  process.stderr.write(stderr);
}

function hostOf({ env, stdin, stdout }: NodeJS.Process): Host {
  return {
    readText: (path) => (path === '-' ? text(stdin) : readFile(path, 'utf8')),
    writeText: (path, content) => writeFile(path, content),
    env,
    isTerminal: stdout.isTTY === true,
    columns: stdout.columns,
  };
}
