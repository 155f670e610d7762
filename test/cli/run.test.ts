import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { runCommandLine } from '../../src/cli/run.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { planRebalance } from '../../src/rebalance/plan.ts';
import { MemoryHost } from './host.ts';

const nodes = (...ids: string[]) => ids.map((id) => ({ id }));

async function stdoutOf(args: readonly string[], host = new MemoryHost()): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommandLine(args, host);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
}

describe('ring', () => {
  it('draws letters where there is no terminal and colours where there is one', async () => {
    const args = ['ring', '--nodes', 'a,b'];
    expect(await stdoutOf(args)).not.toContain('\u001b');
    expect(await stdoutOf(args, new MemoryHost({ isTerminal: true, columns: 120 }))).toContain('\u001b[38;5;');
    expect(await stdoutOf([...args, '--no-color'], new MemoryHost({ isTerminal: true }))).not.toContain('\u001b');
  });

  it('writes an SVG beside the picture and says where', async () => {
    const host = new MemoryHost();
    expect(await stdoutOf(['ring', '--nodes', 'a,b', '--svg', 'out.svg'], host)).toMatch(/\nWrote out\.svg\.\n$/);
    expect(host.files.get('out.svg')).toMatch(/^<svg /);
  });

  it('prints the shares of the very ring that the options describe', async () => {
    const options = ['--virtual-nodes', '64', '--slots', '1024', '--hash-seed', '7'];
    const figures = JSON.parse(await stdoutOf(['ring', '--nodes', 'a,b,c', ...options, '--json']));
    const ring = HashRing.create(nodes('a', 'b', 'c'), { virtualNodes: 64, slots: 1024, hashSeed: 7 });
    expect(figures.checksum).toBe(ring.checksum);
    expect(figures.nodes.map(({ id, share }: { id: string; share: number }) => [id, share])).toEqual([
      ...ring.shares(),
    ]);
  });
});

describe('plan', () => {
  it('prints as JSON what planRebalance returns, real keys included', async () => {
    const host = new MemoryHost({ files: { '-': 'k1\t10\nk2\t20\nk3\n' } });
    const args = ['plan', '--from', 'a,b', '--to', 'a,b,c', '--replication-factor', '2', '--keys', '-', '--json'];
    const ring = HashRing.create(nodes('a', 'b'));
    const plan = planRebalance(ring, ring.withNode({ id: 'c' }), {
      replicationFactor: 2,
      keySample: [['k1', 10], ['k2', 20], 'k3'],
    });
    expect(JSON.parse(await stdoutOf(args, host))).toEqual(JSON.parse(JSON.stringify(plan)));
  });

  it('says so where nothing moves', async () => {
    expect(await stdoutOf(['plan', '--from', 'a,b', '--to', 'b,a'])).toMatch(/^moved share +0\.00 % +0 slots\n/);
  });
});

describe('explain', () => {
  it('gives the nodes of the library in the order of the library', async () => {
    const args = ['explain', '{u}:x', '--nodes', 'a@1,b@1,c@2', '--replication-factor', '2', '--json'];
    const explained = JSON.parse(await stdoutOf(args));
    const zoned = HashRing.create([
      { id: 'a', zone: '1' },
      { id: 'b', zone: '1' },
      { id: 'c', zone: '2' },
    ]);
    expect(explained.nodes.map(({ id }: { id: string }) => id)).toEqual(zoned.preferenceList('u', 3));
    expect(explained.nodes.map(({ role }: { role: string }) => role)).toEqual(['primary', 'replica', 'next']);
    expect(explained).toMatchObject({ routingKey: 'u', position: zoned.positionOf('u'), slot: zoned.slotOf('u') });
  });

  it('takes everything after -- as the key', async () => {
    expect(await stdoutOf(['explain', '--nodes', 'a', '--', '--help'])).toMatch(/^key +--help\n/);
  });

  it('shows a key with control characters without sending them to the terminal', async () => {
    expect(await stdoutOf(['explain', '\u001b[2J', '--nodes', 'a'])).toContain('\\u{1b}[2J');
  });
});

describe('help', () => {
  it('is printed without a command, for help and for --help, and for a single command', async () => {
    const general = await runCommandLine(['--help'], new MemoryHost());
    expect(general).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('  demo ') });
    for (const args of [[], ['help'], ['-h']]) expect(await runCommandLine(args, new MemoryHost())).toEqual(general);
    const ofRing = await runCommandLine(['ring', '--help'], new MemoryHost());
    expect(await runCommandLine(['help', 'ring'], new MemoryHost())).toEqual(ofRing);
    expect(await runCommandLine(['help', 'rign'], new MemoryHost())).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('exists for the whole and for each command, and names every option that the command takes', async () => {
    const general = await stdoutOf(['--help']);
    for (const name of ['ring', 'plan', 'explain']) {
      expect(general).toContain(`\n  ${name} `);
      const help = await stdoutOf([name, '--help']);
      expect(help).toMatch(new RegExp(`^Usage: shardring ${name} `));
      const { stderr } = await runCommandLine([name, '--nonsense'], new MemoryHost());
      const options = stderr.match(/expected one of ([^.]+)/)![1]!.split(', ');
      for (const option of options) expect(help).toContain(`  ${option} `);
    }
  });

  it('has the version of the package', async () => {
    expect(await stdoutOf(['--version'])).toBe(`${packageJson.version}\n`);
  });
});

describe('wrong arguments', () => {
  it.each([
    [['rign'], 'got "rign"'],
    [['ring'], 'expected --nodes'],
    [['ring', '--nodes'], '--nodes'],
    [['ring', '--nodes', 'a', '--nodes', 'b'], 'expected once'],
    [['ring', 'a,b'], 'nodes follow --nodes'],
    [['ring', '--nodes', 'a', '--nonsense'], '--nonsense'],
    [['ring', '--nodes', 'a', '--json=1'], '--json'],
    [['ring', '--nodes', 'a,a'], 'twice'],
    [['ring', '--nodes', 'a', '--slots', '1000'], 'a power of two'],
    [['ring', '--nodes', 'a', '--virtual-nodes', '0'], 'an integer in [1, 65536]'],
    [['ring', '--nodes', 'a', '--virtual-nodes', 'many'], 'got "many"'],
    [['ring', '--nodes', 'a', '--hash-seed', '4294967296'], 'an integer in [0, 4294967295]'],
    [['ring', '--nodes', 'a:0.0001'], 'half a virtual node'],
    [['plan', '--from', 'a'], 'expected --to'],
    [['plan', '--from', 'a', '--to', 'b', '--replication-factor', '0'], '--replication-factor'],
    [['explain', '--nodes', 'a'], 'expected one KEY, got 0'],
    [['explain', 'a', 'b', '--nodes', 'a'], 'expected one KEY, got 2'],
    [['explain', 'a', '--nodes', '\n\u001b[2J:x'], '\\u001b'],
  ])('exit with 2 and one line: %j', async (args, expected) => {
    const { exitCode, stdout, stderr } = await runCommandLine(args, new MemoryHost());
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(expected);
    expect(stderr).toMatch(/^shardring[^\n\u001b]* --help\.\n$/);
  });
});

it('a file that cannot be read exits with 1 and one line', async () => {
  const { exitCode, stdout, stderr } = await runCommandLine(['ring', '--nodes', '@none.json'], new MemoryHost());
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'shardring ring: no such file: none.json\n',
  });
});
