/** The command line without the process: arguments in, what to print and the exit code out. */

import packageJson from '../../package.json' with { type: 'json' };
import { InvalidArgumentError } from '../errors/index.ts';
import { visible } from './draw/visible-text.ts';
import { explainCommand } from './explain.ts';
import type { Command, Host } from './host.ts';
import { planCommand } from './plan.ts';
import { ringCommand } from './ring.ts';
import { UsageError } from './usage-error.ts';

const commands: readonly Command[] = [ringCommand, planCommand, explainCommand];

/** Run by `main.ts`, as it writes while it runs. */
const demo = { name: 'demo', summary: 'a tour on four nodes in memory, or on servers' };

const names = [...commands, demo].map(({ name }) => name).join(', ');

/** 0 success, 1 failure, 2 usage error. */
export interface Outcome {
  readonly exitCode: 0 | 1 | 2;
  readonly stdout: string;
  readonly stderr: string;
}

const help = `\
shardring ${packageJson.version}: look at a hash ring, and at a change to it before it is made.

Usage: shardring COMMAND [options]

Commands:
${[...commands, demo].map(({ name, summary }) => `  ${name.padEnd(8)} ${summary}`).join('\n')}

shardring COMMAND --help, or shardring help COMMAND, says more. shardring --version prints the version.
`;

const printed = (stdout: string): Outcome => ({ exitCode: 0, stdout, stderr: '' });

/** The command and its arguments: `help ring` is `ring --help`. */
export const commandOf = (argv: readonly string[]): readonly string[] =>
  argv[0] === 'help' && argv.length > 1 ? [...argv.slice(1), '--help'] : argv;

export async function runCommandLine(argv: readonly string[], host: Host): Promise<Outcome> {
  const [name, ...args] = commandOf(argv);
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return printed(help);
  if (name === '--version' || name === '-v') return printed(`${packageJson.version}\n`);
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    return misused('shardring', `expected a command (${names}), got ${JSON.stringify(name)}`);
  }
  if (asksForHelp(args)) return printed(command.help);
  try {
    return printed(await command.run(args, host));
  } catch (error) {
    const where = `shardring ${command.name}`;
    if (error instanceof UsageError || error instanceof InvalidArgumentError) return misused(where, error.message);
    return {
      exitCode: 1,
      stdout: '',
      stderr: `${where}: ${oneLine(error instanceof Error ? error.message : String(error))}\n`,
    };
  }
}

/** After `--` everything is a key. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}

function misused(where: string, problem: string): Outcome {
  return {
    exitCode: 2,
    stdout: '',
    stderr: `${where}: ${oneLine(problem).replace(/\.$/, '')}. See ${where} --help.\n`,
  };
}

/** Messages quote what was typed, and that may hold anything. */
const oneLine = (text: string) => visible(text);
