import { describe, expect, it } from 'vitest';
import { isShardringError } from '../../src/errors/index.ts';
import { RedisBackend } from '../../src/server/backend/redis-backend.ts';
import {
  chooseReplica,
  fieldsOf,
  isCredible,
  newest,
  newsOf,
  type ReplicaState,
  viewOf,
} from '../../src/server/sentinel/sentinel-reply.ts';
import { parseGroup } from '../../src/server/sentinel/sentinel-settings.ts';

const first = () => 0;

const replica = (port: number, fields: Record<string, string> = {}): ReplicaState => ({
  ip: '10.0.0.1',
  port: `${port}`,
  flags: 'slave',
  'master-link-status': 'ok',
  ...fields,
});

describe('what a sentinel answers', () => {
  const group = ['name', 'a', 'ip', '10.0.0.1', 'port', '1', 'config-epoch', '7'];

  it('is the epoch of the group and the address that it gives to clients', () => {
    const counted = [...group, 'num-other-sentinels', '2'];
    const sentinels = [
      ['ip', '10.0.0.9', 'port', '26379', 'flags', 'sentinel'],
      ['ip', '10.0.0.8', 'port', '26379', 'flags', 's_down,sentinel,disconnected'],
    ];
    expect(viewOf(counted, ['10.0.0.2', '2'], [['ip', '10.0.0.3', 'port', '3']], sentinels)).toEqual({
      epoch: 7,
      master: { host: '10.0.0.2', port: 2 },
      replicas: [{ ip: '10.0.0.3', port: '3' }],
      sentinels: [{ host: '10.0.0.9', port: 26_379 }],
      sentinelCount: 3,
    });
  });

  it.each([
    ['no address', group, null],
    ['half an address', group, ['10.0.0.2']],
    ['no port', group, ['10.0.0.2', 'x']],
    ['no epoch', ['name', 'a'], ['10.0.0.2', '2']],
    ['something else', 'PONG', 'PONG'],
  ])('does not exist with %s', (_, master, address) => {
    expect(viewOf(master, address, undefined, undefined)).toBeUndefined();
  });

  it('is read into a record without inherited names', () => {
    expect(Object.entries(fieldsOf(['__proto__', 'x', 'half']))).toEqual([['__proto__', 'x']]);
    expect(fieldsOf([]).constructor).toBeUndefined();
  });
});

describe('what several sentinels answer', () => {
  it('counts by the newest configuration, and by the first of those who agree', () => {
    const [one, two, three] = [{ epoch: 1 }, { epoch: 3 }, { epoch: 3 }];
    expect(newest([one, two, three, { epoch: 2 }])).toBe(two);
  });

  it('is followed unless it is older than what was heard before', () => {
    expect(isCredible(1, undefined, 1, 3)).toBe(true);
    expect(isCredible(5, { epoch: 5, ageMs: 0 }, 1, 3)).toBe(true);
    expect(isCredible(6, { epoch: 5, ageMs: 0 }, 1, 3)).toBe(true);
    expect(isCredible(4, { epoch: 5, ageMs: 3_600_000 }, 1, 3)).toBe(false);
  });

  it('is followed back to an older configuration only if most say so, and long after the newer one', () => {
    expect(isCredible(0, { epoch: 5, ageMs: 1_000 }, 3, 3)).toBe(false);
    expect(isCredible(0, { epoch: 5, ageMs: 60_000 }, 2, 4)).toBe(false);
    expect(isCredible(0, { epoch: 5, ageMs: 60_000 }, 2, 3)).toBe(true);
  });
});

describe('the replica to read from', () => {
  it('is one that the sentinels can reach, and one that hears its master if there is one', () => {
    const down = replica(1, { flags: 'slave,s_down' });
    const deaf = replica(2, { 'master-link-status': 'err' });
    expect(chooseReplica([down, deaf, replica(3)], undefined, first)?.port).toBe(3);
    expect(chooseReplica([down, deaf], undefined, first)?.port).toBe(2);
    expect(chooseReplica([down], undefined, first)).toBeUndefined();
    expect(chooseReplica([], undefined, first)).toBeUndefined();
  });

  it('is any of them, by chance', () => {
    const replicas = [replica(1), replica(2), replica(3)];
    const ports = [0, 0.4, 0.99].map((number) => chooseReplica(replicas, undefined, () => number)?.port);
    expect(ports).toEqual([1, 2, 3]);
  });

  it('is the preferred one of lowest prio, or what a function says, if it can be reached', () => {
    const replicas = [replica(1), replica(2, { flags: 'slave,o_down' }), replica(3)];
    const wishes = [2, 3, 1].map((port, index) => ({ ip: '10.0.0.1', port: `${port}`, prio: index }));
    expect(chooseReplica(replicas, wishes, first)?.port).toBe(3);
    expect(chooseReplica(replicas, wishes[2], first)?.port).toBe(1);
    expect(chooseReplica(replicas, { ip: '10.0.0.2', port: '1' }, first)?.port).toBe(1);
    expect(chooseReplica(replicas, (slaves) => slaves.at(-1) ?? null, first)?.port).toBe(3);
    expect(chooseReplica(replicas, () => null, first)?.port).toBe(1);
  });
});

describe('a message of a sentinel', () => {
  const about = 'slave 10.0.0.3:3 10.0.0.3 3 @ a 10.0.0.1 1';
  it.each([
    ['+switch-master', 'a 10.0.0.1 1 10.0.0.2 2', { kind: 'switch' }],
    ['+switch-master', 'b 10.0.0.1 1 10.0.0.2 2', undefined],
    ['+promoted-slave', about, { kind: 'switch' }],
    ['+failover-state-wait-promotion', about, { kind: 'promoting' }],
    ['+failover-state-wait-promotion', about.replace('@ a', '@ b'), undefined],
    ['-failover-abort-slave-timeout', 'master a 10.0.0.1 1', { kind: 'aborted' }],
    ['-failover-abort-slave-timeout', 'master b 10.0.0.1 1', undefined],
    ['+promoted-slave', about.replace('@ a', '@ b'), undefined],
    ['+sdown', about, { kind: 'replicaDown', replica: { host: '10.0.0.3', port: 3 } }],
    ['+sdown', about.replace('@ a', '@ b'), undefined],
    ['+sdown', 'master a 10.0.0.1 1', undefined],
    ['+sdown', 'sentinel x 10.0.0.9 26379 @ a 10.0.0.1 1', undefined],
    ['+sdown', '', undefined],
  ])('is understood on %s: %s', (channel, message, news) => {
    expect(newsOf(channel, message, 'a')).toEqual(news);
  });
});

describe('options of a group', () => {
  const group = { sentinels: [{ port: 1 }], name: 'a' };

  it('say where the sentinels are, and names that are missing are the usual ones', () => {
    const sentinels = [{}, { host: 's', port: '7' }];
    expect(parseGroup('target', { sentinels, name: 'a' })).toMatchObject({
      name: 'a',
      reads: 'master',
      sentinels: [
        { host: '127.0.0.1', port: 26_379 },
        { host: 's', port: 7 },
      ],
    });
    expect(parseGroup('target', { host: 'h' })).toBeUndefined();
    expect(new RedisBackend(group).nodeName).toBe('a');
  });

  it('translate addresses by their own entries only', () => {
    const natMap = { 'h:1': { host: 'n', port: '2' } };
    const { translate } = parseGroup('target', { ...group, natMap })!;
    expect(translate({ host: 'h', port: 1 })).toEqual({ host: 'n', port: 2 });
    expect(translate({ host: 'h', port: 2 })).toEqual({ host: 'h', port: 2 });
  });

  it.each([
    ['target.sentinels', { ...group, sentinels: [] }],
    ['target.sentinels', { ...group, sentinels: 'hunter2' }],
    ['target.sentinels[0]', { ...group, sentinels: ['hunter2'] }],
    ['target.sentinels[1].port', { ...group, sentinels: [{}, { port: 0 }] }],
    ['target.sentinels[0].host', { ...group, sentinels: [{ host: '' }] }],
    ['target.name', { sentinels: [{}] }],
    ['target.name', { ...group, name: '' }],
    ['target.role', { ...group, role: 'slave' }],
    ['target.path', { ...group, path: '/run/redis.sock' }],
    ['target.natMap', { ...group, natMap: 7 }],
    ['target.reads', { ...group, reads: 'anywhere' }],
    ['target.enableTLSForSentinelMode', { ...group, tls: {} }],
    ['target.sentinelMaxConnections', { ...group, sentinelMaxConnections: 0 }],
    ['target.updateSentinels', { ...group, updateSentinels: 'no' }],
  ])('are refused by name when %s is wrong', (field, options) => {
    let error: unknown;
    try {
      new RedisBackend(options as object);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field });
    expect(isShardringError(error) && error.message).not.toContain('hunter2');
  });
});
