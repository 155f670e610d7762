import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {}) {
  const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env;
  return new Promise<Ended>((resolve) => {
    const child = execFile(
      process.execPath,
      ['--import', tsx, main, ...args],
      { env: { ...inherited, ...env } },
      (_error, stdout, stderr) => resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin!.end(input);
  });
}

describe('the process', () => {
  it('exits with 0 on success, 2 on a usage error and 1 on failure', async () => {
    const [well, misused, failed] = await Promise.all([
      run(['ring', '--nodes', 'a,b']),
      run(['ring', '--nodes', 'a:x']),
      run(['ring', '--nodes', 'a', '--svg', '/no/such/folder/ring.svg']),
    ]);
    expect(well).toMatchObject({ exitCode: 0, stderr: '' });
    expect(misused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(misused.stderr.split('\n')).toHaveLength(2);
    expect(failed).toMatchObject({ exitCode: 1, stdout: '' });
    expect(failed.stderr).toMatch(/^shardring ring: ENOENT[^\n]*\n$/);
  });

  it('prints the help of the demo for `help demo` as for `demo --help`', async () => {
    const [asked, named] = await Promise.all([run(['help', 'demo']), run(['demo', '--help'])]);
    expect(asked).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Usage: shardring demo /), stderr: '' });
    expect(asked).toEqual(named);
  });

  it('reads keys from the standard input', async () => {
    const { stdout } = await run(['plan', '--from', 'a', '--to', 'b', '--keys', '-'], { input: 'k\t2000\n' });
    expect(stdout).toContain('1 of 1, 2.00 kB');
  });

  it('honours FORCE_COLOR without a terminal', async () => {
    const { stdout } = await run(['ring', '--nodes', 'a,b'], { env: { FORCE_COLOR: '3' } });
    expect(stdout).toContain('\u001b[38;2;');
  });

  it('ends quietly when its reader leaves early', async () => {
    const line = `'${process.execPath}' --import '${tsx}' '${main}' plan --from a,b,c --to a,b --json; echo $? >&2`;
    const stderr = await new Promise<string>((resolve) =>
      execFile('sh', ['-c', `{ ${line}; } | true`], (_error, _stdout, text) => resolve(text)),
    );
    expect(stderr).toBe('0\n');
  });
});

/** Every file that is loaded with `file`, and every package, read off the imports. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)(?! type)\b[^;]*? from '([^']+)'/gm,
  )) {
    if (specifier!.endsWith('.ts')) loadedWith(fileURLToPath(new URL(specifier!, `file://${file}`)), seen);
    else seen.add(specifier!);
  }
  return seen;
}

it('the command loads neither a server client nor a cache', () => {
  const loaded = [...loadedWith(main)];
  expect(loaded.some((file) => file.endsWith('/hash-ring.ts'))).toBe(true);
  expect(loaded.filter((file) => /ioredis|generic-pool|\/(backend|cache|redis|routing|health)\//.test(file))).toEqual(
    [],
  );
});
