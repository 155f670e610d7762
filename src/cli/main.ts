#!/usr/bin/env node
/** The command `shardring`: the only file that touches the process. */

import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Host } from './host.ts';
import { runCommandLine } from './run.ts';

const host: Host = {
  readText: (path) => (path === '-' ? text(process.stdin) : readFile(path, 'utf8')),
  writeText: (path, content) => writeFile(path, content),
  env: process.env,
  isTerminal: process.stdout.isTTY === true,
  columns: process.stdout.columns,
};

// A reader such as `head` may leave early; that is not a failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const { exitCode, stdout, stderr } = await runCommandLine(process.argv.slice(2), host);
// Not `process.exit`, which would cut off what a pipe has not taken yet.
process.exitCode = exitCode;
process.stdout.write(stdout);
process.stderr.write(stderr);
