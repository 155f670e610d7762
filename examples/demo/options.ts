/** The demo's command line: pure, from arguments to options, or to what is wrong with them. */

import { parseArgs } from 'node:util';

/** Where the nodes are. */
export type NodeSource =
  | { readonly kind: 'memory' }
  | { readonly kind: 'given'; readonly urls: readonly string[] }
  | { readonly kind: 'spawned'; readonly count: number };

export interface DemoOptions {
  readonly nodes: NodeSource;
  readonly replicationFactor: number;
  /** Keys that the tour loads. */
  readonly keys: number;
  /** Set: the trace to replay, in place of the tour. */
  readonly trace: TraceOptions | undefined;
}

export interface TraceOptions {
  readonly path: string;
  /** Requests in flight at once. */
  readonly concurrency: number;
  /** Most requests to replay; Infinity for all. */
  readonly limit: number;
  /** Size of values of which the trace does not say it, in bytes. */
  readonly valueBytes: number;
  readonly killOne: boolean;
}

export type CommandLine =
  | { readonly kind: 'run'; readonly options: DemoOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly problem: string };

export const help = `Usage: shardring demo [options]

A tour of shardring on four nodes in memory, which needs no server; or the
replay of a cache trace. Exit code: 0 if all that is promised held, 1 if
something did not or an error reached the caller, 2 for a wrong option.

Nodes
  --redis URL,URL[,...]     Redis or Valkey servers, one node each, in place of
                            memory. All keys go below a prefix of their own and
                            are removed at the end. A given server is never
                            stopped or flushed.
  --spawn-redis N           N redis-servers, started here, ended with the demo
  --replication-factor N    nodes that hold each key (default 2)

Tour
  --keys N                  keys to load (default 100000)

Replay, instead of the tour
  --trace FILE              ARC (.lis) or Twitter (CSV) trace, plain or .zst
  --concurrency N           requests in flight at once (default 64)
  --limit N                 replay the first N requests only
  --value-bytes N           size of values where the trace does not say
                            (default 100)
  --kill-one                stop a node at 1/3 of the trace, bring it back
                            at 2/3

  --help                    this text
`;

const flags = {
  redis: { type: 'string' },
  'spawn-redis': { type: 'string' },
  'replication-factor': { type: 'string' },
  keys: { type: 'string' },
  trace: { type: 'string' },
  concurrency: { type: 'string' },
  limit: { type: 'string' },
  'value-bytes': { type: 'string' },
  'kill-one': { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

const onlyWithTrace = ['concurrency', 'limit', 'value-bytes', 'kill-one'] as const;

/** A mistake of whoever typed the command. */
class UsageError extends Error {}

export function parseCommandLine(args: readonly string[]): CommandLine {
  try {
    const { values } = parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false });
    return values.help ? { kind: 'help' } : { kind: 'run', options: optionsOf(values) };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!(error instanceof UsageError) && !code.startsWith('ERR_PARSE_ARGS')) throw error;
    const names = Object.keys(flags).map((name) => `--${name}`);
    return {
      kind: 'wrong',
      problem: error instanceof UsageError ? message : `${message}\nExpected: ${names.join(', ')}`,
    };
  }
}

type Values = { [Name in keyof typeof flags]?: (typeof flags)[Name]['type'] extends 'boolean' ? boolean : string };

function optionsOf(values: Values): DemoOptions {
  const nodes = nodeSourceOf(values);
  const nodeCount = nodes.kind === 'memory' ? 4 : nodes.kind === 'given' ? nodes.urls.length : nodes.count;
  const replicationFactor = integer(values, 'replication-factor', values.trace === undefined ? 2 : 1, 2, nodeCount);
  if (values.trace === undefined) {
    const misplaced = onlyWithTrace.find((name) => values[name] !== undefined);
    if (misplaced !== undefined) throw new UsageError(`--${misplaced}: expected together with --trace`);
  } else if (values.keys !== undefined)
    throw new UsageError('--keys: expected without --trace, which brings its own keys');
  return {
    nodes,
    replicationFactor,
    keys: integer(values, 'keys', 2_000, 100_000),
    trace: values.trace === undefined ? undefined : traceOptionsOf(values, values.trace),
  };
}

function nodeSourceOf(values: Values): NodeSource {
  if (values.redis !== undefined && values['spawn-redis'] !== undefined) {
    throw new UsageError('--redis and --spawn-redis: expected one of them');
  }
  if (values['spawn-redis'] !== undefined) return { kind: 'spawned', count: integer(values, 'spawn-redis', 2, 4, 64) };
  if (values.redis === undefined) return { kind: 'memory' };
  const urls = values.redis.split(',').filter((url) => url !== '');
  // Not repeated in the message: a URL may hold a password.
  if (urls.length < 2)
    throw new UsageError(`--redis: expected at least 2 URLs with commas between, got ${urls.length}`);
  if (!urls.every((url) => /^rediss?:\/\//.test(url))) {
    throw new UsageError('--redis: expected every URL to begin with redis:// or rediss://');
  }
  return { kind: 'given', urls };
}

function traceOptionsOf(values: Values, path: string): TraceOptions {
  return {
    path,
    concurrency: integer(values, 'concurrency', 1, 64, 100_000),
    limit: values.limit === undefined ? Number.POSITIVE_INFINITY : integer(values, 'limit', 1, 1),
    valueBytes: integer(values, 'value-bytes', 0, 100, 2 ** 24),
    killOne: values['kill-one'] ?? false,
  };
}

function integer(
  values: Values,
  name: keyof Values,
  min: number,
  byDefault: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const text = values[name];
  if (text === undefined) return byDefault;
  const value = typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  const expected =
    max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`;
  throw new UsageError(`--${name}: expected ${expected}, got '${text}'`);
}
