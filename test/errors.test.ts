import { describe, expect, it } from 'vitest';
import * as errors from '../src/errors/index.ts';
import * as shardring from '../src/index.ts';
import { Unreadable, untouchable } from './support/backend-of-others.ts';

const cause = new Error('first');
const attempt = { node: 'a', elapsedMs: 1, error: new errors.NodeUnavailableError('a', 'get', { cause }) };

const samples: errors.AnyShardringError[] = [
  new errors.InvalidArgumentError('nodes[0].weight', 'a finite number above 0', Number.NaN),
  new errors.NoNodesError(),
  new errors.SnapshotError('its version is 2', { cause }),
  new errors.NodeUnavailableError('a', 'get', { cause }),
  new errors.TimeoutError('a', 'get', 1_000, { cause }),
  new errors.UnknownOutcomeError('a', 'increment', { cause }),
  new errors.NodeReplyError('a', 'set', 'OOM', { cause }),
  new errors.NodeProtocolError('a', 'get', { cause }),
  new errors.WrongServerError('b', 'get', 'shared', { address: '10.0.0.1:6379', other: 'a' }),
  new errors.CredentialsError('a', 'get', { cause }),
  new errors.NotAnIntegerError('a', { cause }),
  new errors.ValueTooLargeError('a', 10, 5),
  new errors.AllReplicasFailedError('get', [attempt]),
  new errors.WriteConsistencyError('set', 2, ['b'], [attempt]),
  new errors.NotReadyError(2, ['b'], [attempt], 1_000),
  new errors.NodesChangedError('scan', 'node b was removed while the scan ran. Begin the scan anew.', {
    node: 'b',
    cause,
  }),
  new errors.PartialFailureError('getMany', new Map(), ['secret-key'], [attempt]),
  new errors.LoadTimeoutError(500),
  new errors.LoadCycleError(),
  new errors.CodecError('json', 'decode', { cause }),
  new errors.UnsupportedError('scan', 'memory'),
  new errors.CrossNodeError('sinter', ['a', 'b']),
  new errors.CommandRefusedError('select', 'it would change the connection that all callers share'),
  new errors.DependencyLoadingError('ioredis'),
  new errors.MissingDependencyError('ioredis', 'shardring/redis', '>=5.4 <7', { cause }),
  new errors.ChangeInProgressError('setWeight a', 'addNode d'),
  new errors.ClosedError('cache'),
];

describe('every error', () => {
  it('is among the samples of this test', () => {
    const classes = Object.values(errors).filter(
      (value) => typeof value === 'function' && value.prototype instanceof errors.ShardringError,
    );
    expect(new Set(samples.map((sample) => sample.constructor))).toEqual(new Set(classes));
  });

  it('is exported by the package', () => {
    const names = samples.map((sample) => sample.constructor.name);
    expect(Object.keys(shardring)).toEqual(expect.arrayContaining(names));
  });

  it.each(samples.map((sample) => [sample.code, sample] as const))('has its name, code and brand: %s', (_, error) => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(errors.ShardringError);
    expect(error.name).toBe(error.constructor.name);
    expect(Object.keys(error)).not.toContain('name');
    expect(error.code).toMatch(/^ERR_[A-Z_]+$/);
    expect(typeof error.retryable).toBe('boolean');
    expect(errors.isShardringError(error)).toBe(true);
    expect(String(error)).toContain(error.name);
    expect(error.message).not.toContain('secret-key');
    expect(error.message).toMatch(/[.a-z]$/);
  });

  it('has a code of its own', () => {
    expect(new Set(samples.map(({ code }) => code)).size).toBe(samples.length);
  });

  it('is distinguished from an object that throws on access and from one that has every property', () => {
    const agreeable = new Proxy({}, { has: () => true, get: () => () => true });
    for (const odd of [new Unreadable(), untouchable(), agreeable]) expect(errors.isShardringError(odd)).toBe(false);
    const attempts = [{ node: 'a', elapsedMs: 1, error: untouchable() }] as const;
    expect(new errors.NotReadyError(1, [], attempts, 5).message).toContain('a: no reason given');
    expect(new errors.AllReplicasFailedError('get', attempts).retryable).toBe(false);
  });

  it('is known by its brand, also from another copy of the package', () => {
    class Foreign extends Error {
      get [Symbol.for('shardring.ShardringError')]() {
        return true;
      }
    }
    expect(errors.isShardringError(new Foreign())).toBe(true);
    expect(errors.isShardringError(new Error())).toBe(false);
    expect(errors.isShardringError(null)).toBe(false);
    expect(errors.isShardringError('ERR_NO_NODES')).toBe(false);
  });

  it('keeps the first failure as its cause', () => {
    expect(new errors.AllReplicasFailedError('get', [attempt]).cause).toBe(attempt.error);
    expect(new errors.WriteConsistencyError('set', 2, [], [attempt]).cause).toBe(attempt.error);
    expect(new errors.WriteConsistencyError('set', 2, [], []).cause).toBeUndefined();
  });

  it('is retryable when one of its attempts is', () => {
    const final = { node: 'b', elapsedMs: 1, error: new errors.NodeReplyError('b', 'get', 'WRONGTYPE') };
    expect(new errors.AllReplicasFailedError('get', [final, attempt]).retryable).toBe(true);
    expect(new errors.AllReplicasFailedError('get', [final]).retryable).toBe(false);
  });

  it('is not retryable where a write was or may have been done at a node, since a repeat could do it twice', () => {
    const doubtful = { node: 'b', elapsedMs: 1, error: new errors.UnknownOutcomeError('b', 'increment') };
    const retryable = (acknowledged: string[], attempts: errors.NodeAttempt[]) =>
      new errors.WriteConsistencyError('increment', 2, acknowledged, attempts).retryable;
    expect(retryable([], [attempt, attempt])).toBe(true);
    expect(retryable(['b'], [attempt])).toBe(false);
    expect(retryable([], [attempt, doubtful])).toBe(false);
    expect(retryable([], [])).toBe(false);
  });

  it('advises a tag for keys on several nodes only where tags decide', () => {
    expect(new errors.CrossNodeError('sinter', ['a', 'b']).message).toContain('the same {tag}, as in');
    expect(new errors.CrossNodeError('sinter', ['a', 'b'], false).message).toBe(
      'sinter: its keys live on the nodes a, b, and it can only be sent to one. Use keys that the placement puts on the ' +
        'same node; it ignores {tags}.',
    );
  });

  it('shows received numbers, but only the length of received strings', () => {
    const message = (received: unknown) => new errors.InvalidArgumentError('f', 'x', received).message;
    expect(message(Number.NaN)).toBe('f: expected x, got NaN (number).');
    expect(message(-0)).toBe('f: expected x, got -0 (number).');
    expect(message('redis://user:secret@host')).toBe('f: expected x, got a string of 24 characters.');
    expect(message('x')).toBe('f: expected x, got a string of 1 character.');
    expect(message({ password: 'secret' })).toBe('f: expected x, got an object (Object).');
    expect(message(Object.create(null))).toBe('f: expected x, got an object.');
    expect(message([1, 2])).toBe('f: expected x, got an array of 2.');
    expect(message(10n ** 1_000n)).toBe('f: expected x, got a bigint.');
    expect(message(undefined)).toBe('f: expected x, got undefined.');
    expect(message(null)).toBe('f: expected x, got null.');
    expect(message(() => 0)).toBe('f: expected x, got a function.');
  });
});
