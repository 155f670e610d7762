/**
 * Where to get a redis-server from, with nothing to install by hand on most machines.
 *
 * In order: `$REDIS_SERVER`; `redis-server` or `valkey-server` on the PATH or where Homebrew puts it; on Debian and
 * Ubuntu a download into `node_modules/.cache/shardring-redis`, without root and without a change to the system.
 */

import { execFile, execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const names = ['redis-server', 'valkey-server'];
const usualPlaces = ['/opt/homebrew/bin', '/usr/local/bin', '/usr/bin'];
const cacheDirectory = fileURLToPath(new URL('../../node_modules/.cache/shardring-redis', import.meta.url));
const downloadScript = fileURLToPath(new URL('rootless-redis.sh', import.meta.url));

/** More than enough on a slow line; without a limit an unreachable mirror would hold the tests for ever. */
const downloadTimeoutMs = 120_000;

const remedies = `There is no redis-server here. Install one, or name one, and run this again:
  Debian, Ubuntu:  sudo apt-get install -y redis-server
  macOS:           brew install redis
  any other:       REDIS_SERVER=/path/to/redis-server (or valkey-server) npm test`;

let found: Promise<string> | undefined;

/**
 * Looks once per process.
 *
 * @returns Path of a program that takes redis-server's arguments.
 * @throws  An error with a remedy per system, when there is none and none can be downloaded.
 */
export function findRedis(): Promise<string> {
  found ??= look();
  return found;
}

async function look(): Promise<string> {
  const named = process.env.REDIS_SERVER;
  if (named) {
    if (!runs(named)) throw new Error(`REDIS_SERVER is set to ${named}, which does not run.\n${remedies}`);
    return named;
  }
  return installed() ?? downloaded() ?? (await download());
}

function installed(): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...usualPlaces].filter(
    (directory) => directory !== '',
  );
  for (const name of names) {
    for (const directory of directories) {
      const path = join(directory, name);
      if (isExecutable(path) && runs(path)) return path;
    }
  }
  return undefined;
}

function downloaded(): string | undefined {
  const path = join(cacheDirectory, 'redis-server');
  return isExecutable(path) && runs(path) ? path : undefined;
}

async function download(): Promise<string> {
  if (!existsSync(downloadScript) || !existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg'))
    throw new Error(remedies);
  try {
    const { stdout } = await promisify(execFile)(downloadScript, [cacheDirectory], { timeout: downloadTimeoutMs });
    return stdout.trim();
  } catch (cause) {
    throw new Error(`${remedies}\nA download without root was tried and failed; see \`cause\`.`, { cause });
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function runs(path: string): boolean {
  try {
    execFileSync(path, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
