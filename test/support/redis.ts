/**
 * A real redis-server for tests and examples: up in about 15 ms, and gone with the process that started it.
 *
 * Each server keeps nothing on disk but a directory of its own below the system's temporary one, which goes with it.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { findRedis } from './find-redis.ts';
import { waitForPong } from './pong.ts';

export interface RedisServerOptions {
  /** Further arguments: `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[];
  /** TCP port. Default: a free one, of 127.0.0.1 as always. */
  readonly port?: number;
  /** Listens on a socket file too; see {@link RedisServer.socketPath}. */
  readonly unixSocket?: boolean;
  /** Sets `requirepass`. It is part of {@link RedisServer.url}. */
  readonly password?: string;
  /** Speaks TLS, and only TLS, on the port. Paths of PEM files. Clients need no certificate. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Runs as a sentinel with this file, which says the rest, the port included. */
  readonly sentinelConfig?: string;
  /** Path of the program. Default: what {@link findRedis} finds. */
  readonly program?: string;
}

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** `redis://` or `rediss://`, with the password if there is one. */
  readonly url: string;
  /** Set if `unixSocket` was asked for. */
  readonly socketPath: string | undefined;
  /** Process id of the server itself. Changes with {@link restart}. */
  readonly pid: number;
  /** Ends the server and removes its directory. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash or the kernel's memory killer would: resolves once the port is free. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, and nothing is answered until {@link resume}. */
  pause(): void;
  resume(): void;
  /** A new, empty server on the same port, with the same arguments. Ends the old one first, if it still runs. */
  restart(): Promise<void>;
}

/**
 * The shell between us and the server, so that the server ends with us however we end, SIGKILL included: our death
 * closes the pipe at the shell's stdin, `cat` ends, and the shell kills the server and removes its directory.
 * Descriptor 3 tells us the server's process id and, when it closes, that the server has ended.
 */
const guard = `
trap '' INT TERM HUP
directory=$1; shift
"$@" & server=$!
echo $server >&3; exec 3>&-
cat >/dev/null
kill -KILL $server 2>/dev/null
wait $server 2>/dev/null
rm -rf "$directory"
`;

/** A port can be taken between our looking and the server's binding. */
const portAttempts = 5;

const startTimeoutMs = 60_000;

export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const program = options.program ?? (await findRedis());
  const directory = mkdtempSync(join(tmpdir(), 'shardring-redis-'));
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    try {
      const command = [program, ...serverArguments(options, port, directory)];
      const run = await startRun(command, directory, port, options);
      return serverOf(run, options, port, directory, () => startRun(command, directory, port, options));
    } catch (error) {
      const taken = error instanceof Error && error.message.includes('ddress already in use');
      if (!taken || options.port !== undefined || attempt === portAttempts) throw error;
    }
  }
}

function serverOf(
  firstRun: Run,
  options: RedisServerOptions,
  port: number,
  directory: string,
  startAgain: () => Promise<Run>,
): RedisServer {
  let run = firstRun;
  const credentials = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`;
  const stop = () => run.end();
  return {
    port,
    url: `${options.tls ? 'rediss' : 'redis'}://${credentials}127.0.0.1:${port}`,
    socketPath: options.unixSocket ? socketIn(directory) : undefined,
    get pid() {
      return run.pid;
    },
    stop,
    [Symbol.asyncDispose]: stop,
    async kill() {
      process.kill(run.pid, 'SIGKILL');
      await heldOpen(run.serverEnded);
    },
    pause: () => void process.kill(run.pid, 'SIGSTOP'),
    resume: () => void process.kill(run.pid, 'SIGCONT'),
    async restart() {
      await run.end();
      run = await startAgain();
    },
  };
}

const socketIn = (directory: string) => join(directory, 'redis.sock');

function serverArguments(options: RedisServerOptions, port: number, directory: string): string[] {
  const { args = [], unixSocket, password, tls, sentinelConfig } = options;
  if (sentinelConfig !== undefined) return [sentinelConfig, '--sentinel'];
  return [
    ...['--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no', '--daemonize', 'no'],
    ...(tls
      ? ['--port', '0', '--tls-port', `${port}`, '--tls-cert-file', tls.certFile, '--tls-key-file', tls.keyFile]
      : ['--port', `${port}`]),
    ...(tls ? ['--tls-ca-cert-file', tls.certFile, '--tls-auth-clients', 'no'] : []),
    ...(unixSocket ? ['--unixsocket', socketIn(directory)] : []),
    ...(password === undefined ? [] : ['--requirepass', password]),
    ...args,
  ];
}

/** One life of a server process. */
interface Run {
  readonly pid: number;
  readonly serverEnded: Promise<void>;
  end(): Promise<void>;
}

async function startRun(
  command: readonly string[],
  directory: string,
  port: number,
  options: RedisServerOptions,
): Promise<Run> {
  mkdirSync(directory, { recursive: true });
  const shell = spawn('sh', ['-c', guard, 'sh', directory, ...command], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
  const shellEnded = new Promise<void>((resolve) => shell.once('close', () => resolve()));
  const announcements = shell.stdio[3] as Readable;
  let hasEnded = false;
  const serverEnded = new Promise<void>((resolve) =>
    announcements.once('close', () => {
      hasEnded = true;
      resolve();
    }),
  );
  const end = () => {
    shell.stdin?.end();
    return heldOpen(shellEnded);
  };
  const log = collectLog(shell);
  try {
    const pid = await firstNumber(announcements);
    await waitForPong({ port, tls: options.tls !== undefined }, startTimeoutMs, () => {
      if (hasEnded) throw new Error('the server ended');
      return /eady to accept connections|Sentinel ID is/.test(log());
    });
    letGo(shell);
    return { pid, serverEnded, end };
  } catch (cause) {
    await end();
    throw new Error(`redis-server did not start: ${cause}\n${log()}`, { cause });
  }
}

function collectLog(shell: ChildProcess): () => string {
  let text = '';
  const add = (chunk: Buffer) => {
    // The start is what tells why a server does not start; a chatty one must not fill our memory.
    if (text.length < 100_000) text += chunk;
  };
  shell.stdout?.on('data', add);
  shell.stderr?.on('data', add);
  return () => text;
}

/** A program that forgets `stop()` may end all the same, and its servers end with it. */
function letGo(shell: ChildProcess): void {
  shell.unref();
  for (const stream of shell.stdio) (stream as { unref?: () => void } | null)?.unref?.();
}

/** The same promise. Until it settles, what {@link letGo} has let go holds the program open again. */
function heldOpen<Result>(promise: Promise<Result>): Promise<Result> {
  const timer = setInterval(() => undefined, 60_000);
  return promise.finally(() => clearInterval(timer));
}

function firstNumber(stream: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    stream.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
    stream.once('close', () => reject(new Error('the shell that guards the server ended')));
  });
}

const portsFrom = 10_000;
const portsTo = Math.min(32_000, lowestOutgoingPort());

/** The kernel gives ports from here on to outgoing connections. */
function lowestOutgoingPort(): number {
  try {
    const lowest = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1'), 10);
    return lowest > portsFrom + 1_000 ? lowest : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY; // Not Linux; there they begin at 32,768 or above.
  }
}

/**
 * A free port, which stays this process' own: nobody else who asks here is given it while the server on it is stopped.
 *
 * It lies below those of outgoing connections. Among these a client that keeps trying to reach a stopped server would, sooner or
 * later, be given the very port as its own and connect to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = portsFrom + Math.floor(Math.random() * (portsTo - portsFrom));
    const reserved = await reserve(port);
    if (reserved === undefined) continue;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) {
      reserved.close();
      continue;
    }
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/**
 * Holds a port against others who ask here, while nothing listens on it. UDP has the same numbers, nobody here speaks it, and the
 * kernel ends the reservation with the process. Undefined if somebody has it.
 */
export function reserve(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(socket.unref()));
  });
}
