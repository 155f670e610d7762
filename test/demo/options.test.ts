/** The demo's command line. */

import { describe, expect, it } from 'vitest';
import { help, parseCommandLine } from '../../examples/demo/options.ts';

const parse = (text: string) => parseCommandLine(text.split(' ').filter((arg) => arg !== ''));
const optionsOf = (text: string) => {
  const command = parse(text);
  if (command.kind !== 'run') throw new Error(`not to be run: ${JSON.stringify(command)}`);
  return command.options;
};

describe('the command line', () => {
  it('means the tour in memory when it is empty', () => {
    const options = { nodes: { kind: 'memory' }, replicationFactor: 2, keys: 100_000, trace: undefined };
    expect(optionsOf('')).toEqual(options);
  });

  it('takes given servers', () => {
    const { nodes } = optionsOf('--redis redis://a:1,rediss://:secret@b:2/3');
    expect(nodes).toEqual({ kind: 'given', urls: ['redis://a:1', 'rediss://:secret@b:2/3'] });
  });

  it('takes a trace with its options', () => {
    expect(optionsOf('--spawn-redis 4 --trace F --kill-one --limit 9 --replication-factor 1')).toEqual({
      nodes: { kind: 'spawned', count: 4 },
      replicationFactor: 1,
      keys: 100_000,
      trace: { path: 'F', concurrency: 64, limit: 9, valueBytes: 100, killOne: true },
    });
    expect(optionsOf('--trace F').trace).toMatchObject({ limit: Number.POSITIVE_INFINITY, killOne: false });
  });

  it('gives help, in 80 columns, that names every option', () => {
    expect(parse('--help')).toEqual({ kind: 'help' });
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    const wrong = parse('--nonsense');
    if (wrong.kind !== 'wrong') throw new Error('--nonsense was taken');
    const names = wrong.problem.split('Expected: ')[1]!.split(', ');
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(help).toContain(`  ${name} `);
  });

  it.each([
    ['--nonsense', /Unknown option '--nonsense'[\s\S]*Expected: --redis, /],
    ['extra', /Unexpected argument 'extra'/],
    ['--keys', /argument missing/],
    ['--keys 12', /^--keys: expected an integer of at least 2000, got '12'$/],
    ['--keys 1e4', /^--keys: expected an integer/],
    ['--spawn-redis 1', /^--spawn-redis: expected an integer from 2 to 64, got '1'$/],
    ['--spawn-redis 3 --redis redis://a,redis://b', /^--redis and --spawn-redis: expected one of them$/],
    ['--redis redis://a', /^--redis: expected at least 2 URLs with commas between, got 1$/],
    ['--redis redis://a,http://b', /^--redis: expected every URL to begin with redis:/],
    ['--replication-factor 1', /^--replication-factor: expected an integer from 2 to 4, got '1'$/],
    ['--trace F --replication-factor 5', /^--replication-factor: expected an integer from 1 to 4, got '5'$/],
    ['--kill-one', /^--kill-one: expected together with --trace$/],
    ['--trace F --keys 5000', /^--keys: expected without --trace/],
    ['--trace F --limit 0', /^--limit: expected an integer of at least 1, got '0'$/],
  ])('refuses %s and says what it expected', (text, problem) => {
    expect(parse(text)).toEqual({ kind: 'wrong', problem: expect.stringMatching(problem) });
  });

  it('does not repeat a URL, which may hold a password', () => {
    expect(JSON.stringify(parse('--redis http://:secret@a,redis://:secret@b'))).not.toContain('secret');
  });
});
