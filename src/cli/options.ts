/** Options of a command, read once and checked: unknown ones, repeated ones and values out of range are usage errors. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { maxNodes } from '../placement/members.ts';
import { HashRing, type HashRingOptions } from '../placement/ring/hash-ring.ts';
import { expectSlots } from '../placement/table/slot-table.ts';
import { expectInteger } from '../runtime/validate.ts';
import { readNodes } from './arguments.ts';
import type { Host } from './host.ts';
import { UsageError } from './usage-error.ts';

/** Whether an option is followed by a value. */
export type OptionKinds = Readonly<Record<string, 'value' | 'flag'>>;

export class CommandOptions {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;

  /** @throws {UsageError} An option is unknown, comes twice, or lacks its value. */
  constructor(args: readonly string[], kinds: OptionKinds) {
    const options: NonNullable<ParseArgsConfig['options']> = {};
    for (const [name, kind] of Object.entries(kinds)) {
      options[name] = { type: kind === 'value' ? 'string' : 'boolean', multiple: true };
    }
    try {
      const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
      this.#values = values;
      this.positionals = positionals;
    } catch (error) {
      throw new UsageError(parseMessage(error, Object.keys(kinds)));
    }
    for (const [name, given] of Object.entries(this.#values)) {
      if ((given as unknown[]).length > 1)
        throw new UsageError(`--${name}: expected once, got ${(given as unknown[]).length} times`);
    }
  }

  flag(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  text(name: string): string | undefined {
    return (this.#values[name] as string[] | undefined)?.[0];
  }

  /** @throws {UsageError} The option is not there. */
  required(name: string, expected: string): string {
    const text = this.text(name);
    if (text === undefined) throw new UsageError(`expected --${name} ${expected}`);
    return text;
  }

  /** @throws {UsageError | InvalidArgumentError} Not an integer, or out of [min, max]. */
  integer(name: string, min: number, max: number): number | undefined {
    const number = this.#digits(name);
    return number === undefined ? undefined : expectInteger(`--${name}`, number, min, max);
  }

  /** @throws {UsageError | InvalidArgumentError} Not a number of slots that a ring may have. */
  slots(): number | undefined {
    const number = this.#digits('slots');
    return number === undefined ? undefined : expectSlots('--slots', number);
  }

  #digits(name: string): number | undefined {
    const text = this.text(name);
    if (text !== undefined && !/^\d+$/.test(text)) {
      throw new UsageError(`--${name}: expected an integer, got ${JSON.stringify(text)}`);
    }
    return text === undefined ? undefined : Number(text);
  }
}

/** Options that make a ring what it is, in every command that makes one. */
export const ringOptionKinds = { 'virtual-nodes': 'value', slots: 'value', 'hash-seed': 'value' } as const;

export const ringOptionHelp = `\
  --virtual-nodes N      points on the ring per unit of weight (default 512)
  --slots N              pieces of the position space, a power of two (default 262144)
  --hash-seed N          seed of the hash (default 0)`;

export const nodesHelp = `\
Nodes are id[:weight][@zone], with commas between them: a,b:2,c@eu-1. A backslash
takes a following , : @ or \\ as part of a name: 10.0.0.1\\:6379. @FILE in place of
the list reads a JSON array of ids and { "id", "weight", "zone" } objects.`;

/** @throws {UsageError | InvalidArgumentError} The nodes or the ring's options cannot be used. */
export async function readRing(options: CommandOptions, nodesOption: string, host: Host): Promise<HashRing> {
  const list = options.required(nodesOption, 'followed by nodes, as in a,b:2,c@zone');
  const ringOptions: HashRingOptions = {
    virtualNodes: options.integer('virtual-nodes', 1, 65_536),
    slots: options.slots(),
    hashSeed: options.integer('hash-seed', 0, 2 ** 32 - 1),
  };
  return HashRing.create(await readNodes(`--${nodesOption}`, list, host), ringOptions);
}

/** @throws {UsageError | InvalidArgumentError} Not a number of copies. */
export function readReplicationFactor(options: CommandOptions): number {
  return options.integer('replication-factor', 1, maxNodes) ?? 1;
}

function parseMessage(error: unknown, names: readonly string[]): string {
  const message = error instanceof Error ? error.message : String(error);
  const known = names.map((name) => `--${name}`).join(', ');
  const [firstLine = ''] = message.split(/\. |\n/);
  return (error as NodeJS.ErrnoException).code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
    ? `${firstLine.replace(/\.$/, '')}; expected one of ${known}`
    : firstLine.replace(/\.$/, '');
}
