import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { root } from './doc-examples.ts';
import { eventually } from './eventually.ts';
import { findRedis } from './find-redis.ts';
import { freePort, startRedis } from './redis.ts';

describe('a server started for a test', () => {
  it('is gone after stop, with its directory, and can be stopped twice', async () => {
    const server = await startRedis();
    const { pid } = server;
    expect(isRunning(pid)).toBe(true);
    await server.stop();
    await server.stop();
    expect(isRunning(pid)).toBe(false);
  });

  it('comes back empty on its port, as another process, after it was killed', async () => {
    const server = await startRedis();
    const { pid, port } = server;
    await server.kill();
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(server.port).toBe(port);
    await server.stop();
  });

  it('dies with the process that started it, even when that is killed with SIGKILL', async () => {
    const program = `import { startRedis } from './test/support/redis.ts'; startRedis().then(({ pid }) => console.log(pid)); setInterval(() => {}, 1_000);`;
    const runner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) => {
      createInterface(runner.stdout!).once('line', (line) => resolve(Number(line)));
    });
    expect(isRunning(pid)).toBe(true);
    runner.kill('SIGKILL');
    await eventually(() => !isRunning(pid));
  });
});

describe('a free port', () => {
  it('is given out once, also while nothing listens on it', async () => {
    const ports = new Set<number>();
    for (let count = 0; count < 400; count++) ports.add(await freePort());
    expect(ports.size).toBe(400);
  });

  it('is not given to another process while this one runs', async () => {
    const port = await freePort();
    const program = `import('./test/support/redis.ts').then(async ({ reserve }) => {
      console.log((await reserve(${port})) === undefined);
    });`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '-e', program], { cwd: root });
    expect(stdout).toBe('true\n');
  });
});

describe('findRedis', () => {
  it('uses $REDIS_SERVER, which names what the run found at its start', async () => {
    expect(await findRedis()).toBe(process.env.REDIS_SERVER);
  });

  it('fails with a remedy for each system if the program it was given does not run', async () => {
    const program = `import('./test/support/find-redis.ts').then(({ findRedis }) => findRedis()).catch(({ message }) => console.log(message));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '-e', program], {
      cwd: root,
      env: { ...process.env, REDIS_SERVER: '/no/such/redis-server' },
    });
    for (const remedy of ['sudo apt-get install -y redis-server', 'brew install redis', 'REDIS_SERVER=/']) {
      expect(stdout).toContain(remedy);
    }
  });
});

/** Whether there is a process of this id. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
