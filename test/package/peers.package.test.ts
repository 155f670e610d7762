/** Beside other releases of the packages that some users need, or without them. */

import { execFile } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { Consumer, manifest } from '../support/consumer.ts';

/** Releases that applications have for uses of their own. */
const old: Record<string, string> = {
  ...{ ioredis: '4.31.0', keyv: '4.5.4', 'express-session': '1.15.6' },
  ...{ bentocache: '0.9.0', unstorage: '0.6.0' },
};

describe('npm install of the packed package', () => {
  it('succeeds with strict peers beside old releases of all that there are adapters for', async () => {
    using project = new Consumer();
    rmSync(join(project.folder, 'node_modules'), { recursive: true });
    // npm looks at names and versions only, so packages with nothing in them will do, and no registry is asked.
    const empty = (name: string, version: string) => {
      project.write(`packages/${name}/package.json`, JSON.stringify({ name, version }));
      return [name, `file:packages/${name}`] as const;
    };
    const own = Object.entries<string>(manifest.dependencies);
    const dependencies = {
      ...Object.fromEntries([...own, ...Object.entries(old)].map(([name, version]) => empty(name, version))),
      shardring: `file:${inject('packed').tarball}`,
    };
    project.write('package.json', JSON.stringify({ name: 'application', version: '1.0.0', dependencies }));
    const cache = join(project.folder, 'cache');
    const args = ['install', '--strict-peer-deps', '--offline', '--ignore-scripts', '--cache', cache];
    await promisify(execFile)('npm', args, { cwd: project.folder });
    expect(existsSync(join(project.folder, 'node_modules/shardring/dist/index.js'))).toBe(true);
  });
});

const loads = {
  mjs: (entry: string, names: string) => `const { ${names} } = await import('${entry}');`,
  cjs: (entry: string, names: string) => `const { ${names} } = require('${entry}');`,
};

const print = '(error) => console.log(error.code, error.message)';

describe.each(['mjs', 'cjs'] as const)('an application as .%s', (format) => {
  const load = loads[format];

  it('learns at run time which ioredis is needed if it has an old one', async () => {
    using consumer = new Consumer({ ioredis: 'ioredis4' });
    const text = `${load('shardring/redis', 'RedisBackend, ShardedRedis')}
      new RedisBackend('redis://127.0.0.1:1').get('k').catch(${print});
      const redis = new ShardedRedis({ nodes: [{ id: 'a', url: 'redis://127.0.0.1:1' }] });
      redis.get('k').catch(${print}).then(() => redis.quit());`;
    const { stdout, stderr } = await consumer.node(`main.${format}`, text);
    const message =
      'shardring/redis needs ioredis (>=5.4 <7), but 4.31.0 is installed. Run: npm install "ioredis@>=5.4 <7"';
    expect(stdout.trim().split('\n')).toEqual(Array(2).fill(`ERR_MISSING_DEPENDENCY ${message}`));
    expect(stderr).toContain(message);
  });

  it('keeps a cache in memory without a complaint beside an old ioredis', async () => {
    using consumer = new Consumer({ ioredis: 'ioredis4' });
    const text = `${load('shardring', 'MemoryBackend, ShardedCache')}
      const cache = new ShardedCache({ nodes: [{ id: 'a', backend: new MemoryBackend() }] });
      cache.set('k', 1).then(() => cache.get('k')).then(console.log).then(() => cache.close());`;
    expect(await consumer.node(`main.${format}`, text)).toEqual({ stdout: '1\n', stderr: '' });
  });

  it('learns from the session store which package to install', async () => {
    using consumer = new Consumer();
    const text = `${load('shardring/session', 'SessionStore')}
      try { new SessionStore({ client: {} }); } catch (error) { (${print})(error); }`;
    const { stdout, stderr } = await consumer.node(`main.${format}`, text);
    const message =
      'shardring/session needs express-session (>=1), which is not installed. Run: npm install express-session';
    expect(stdout).toBe(`ERR_MISSING_DEPENDENCY ${message}\n`);
    expect(stderr).toContain(message);
  });

  it('learns from the session store that its express-session is too old', async () => {
    using consumer = new Consumer();
    consumer.write('node_modules/express-session/package.json', '{ "name": "express-session", "version": "0.5.1" }');
    consumer.write('node_modules/express-session/index.js', 'exports.Store = class {};');
    const text = `${load('shardring/session', 'SessionStore')}
      try { new SessionStore({ client: {} }); } catch (error) { (${print})(error); }`;
    const { stdout } = await consumer.node(`main.${format}`, text);
    expect(stdout).toBe(
      'ERR_MISSING_DEPENDENCY shardring/session needs express-session (>=1), but 0.5.1 is installed. ' +
        'Run: npm install "express-session@>=1"\n',
    );
  });

  it.each(['keyv', 'bentocache', 'unstorage'])('loads the adapter for %s, which needs no package', async (name) => {
    using consumer = new Consumer();
    const text = `${load(`shardring/${name}`, '...exported')} console.log(Object.keys(exported).length > 0);`;
    expect(await consumer.node(`main.${format}`, text)).toEqual({ stdout: 'true\n', stderr: '' });
  });

  it('has a session store that is one of express-session', async () => {
    using consumer = new Consumer({ 'express-session': 'express-session' });
    const session =
      format === 'mjs' ? "import session from 'express-session';" : "const session = require('express-session');";
    const text = `${session} ${load('shardring/session', 'SessionStore')}
      const call = async () => {};
      const client = { get: call, set: call, expire: call, mget: call, unlink: call, scanStream: call };
      const store = new SessionStore({ client });
      console.log(store instanceof session.Store, typeof store.createSession);`;
    expect(await consumer.node(`main.${format}`, text)).toEqual({ stdout: 'true function\n', stderr: '' });
  });
});
