import { describe, expect, it } from 'vitest';
import {
  NodeReplyError,
  NodeUnavailableError,
  TimeoutError,
  UnknownOutcomeError,
  WrongServerError,
} from '../../src/errors/index.ts';
import { rootOf, tellingFault } from '../../src/health/faults.ts';
import { HealthMonitor } from '../../src/health/monitor.ts';
import { closedByPeer } from '../../src/server/link/failure.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { Unreadable, untouchable } from '../support/backend-of-others.ts';

const patienceMs = 2_000;

describe('tellingFault', () => {
  const caused = (cause: unknown) => new NodeUnavailableError('a', 'ping', { cause });
  const refused = () => caused(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
  const closed = caused(closedByPeer.cause);
  const late = new TimeoutError('a', 'ping', 500);

  it('keeps the first that says what is wrong, and not those that only tell that the node is still away', () => {
    const first = refused();
    for (const next of [refused(), closed, late]) expect(tellingFault(first, next)).toBe(first);
  });

  it('prefers to a lost reply or a passed deadline what the next attempt to connect says', () => {
    const first = refused();
    for (const vague of [undefined, late, closed, new UnknownOutcomeError('a', 'set', { cause: late })]) {
      expect(tellingFault(vague, first)).toBe(first);
    }
    expect(tellingFault(closed, late)).toBe(closed);
  });

  it('prefers to a lost reply, whose words are of one call, what says the same of the node', () => {
    const shared = new WrongServerError('b', 'ping', 'shared', { other: 'a' });
    const lost = new UnknownOutcomeError('b', 'set', { cause: shared });
    expect(tellingFault(lost, shared)).toBe(shared);
    expect(tellingFault(shared, lost)).toBe(shared);
  });

  it('takes over another reason: the node is ill in another way now', () => {
    const wrongPassword = new NodeReplyError('a', 'ping', 'WRONGPASS');
    expect(tellingFault(refused(), wrongPassword)).toBe(wrongPassword);
  });

  it('bears failures that throw when they are looked at', () => {
    const refusal = refused();
    for (const odd of [new Unreadable(), untouchable()]) {
      expect(tellingFault(odd, refusal)).toBe(refusal);
      expect(tellingFault(refusal, caused(odd))).not.toBe(undefined);
      expect(tellingFault(odd, odd)).toBe(odd);
    }
  });

  it('has the own error of the system or the server at its root', () => {
    expect(rootOf(refused())).toMatchObject({ code: 'ECONNREFUSED' });
    expect(rootOf(late)).toBe(late);
  });
});

function makeMonitor() {
  const clock = new SimulatedClock();
  const changes: string[] = [];
  const monitor = new HealthMonitor({
    clock,
    probeIntervalMs: 500,
    probeTimeoutMs: 200,
    patienceMs,
    onChange: (node, state) => changes.push(`${node} ${state}`),
  });
  return { clock, changes, monitor };
}

describe('HealthMonitor', () => {
  it('probes every node at each interval with the timeout, and tells of changes only', async () => {
    const { clock, changes, monitor } = makeMonitor();
    let alive = true;
    const timeouts: number[] = [];
    monitor.watch('a', async (timeoutMs) => {
      timeouts.push(timeoutMs);
      if (!alive) throw new NodeUnavailableError('a', 'ping');
    });
    await clock.advance(5_000);
    expect(timeouts).toEqual([]);
    monitor.start();
    monitor.start();
    await clock.advance(1_000);
    // The first one at once.
    expect(timeouts).toEqual([200, 200, 200]);
    alive = false;
    await clock.advance(1_500);
    expect(monitor.stateOf('a')).toBe('down');
    expect(monitor.illNodes()).toEqual(new Map([['a', 'down']]));
    alive = true;
    await clock.advance(500);
    expect(monitor.reportOf('a')).toEqual({ state: 'up', roundTripMs: 0 });
    expect(monitor.illNodes()).toEqual(new Map());
    expect(changes).toEqual(['a suspect', 'a down', 'a up']);
  });

  it('reports since when a node is not up, and the failure that came first', async () => {
    const { clock, monitor } = makeMonitor();
    let isWell = true;
    monitor.watch('a', async () => {
      if (!isWell) throw new NodeUnavailableError('a', 'ping');
    });
    monitor.start();
    await clock.advance(100);
    isWell = false;
    const sinceMs = clock.wallMs();
    const first = new NodeUnavailableError('a', 'get', {
      cause: Object.assign(new Error('no'), { code: 'ENOTFOUND' }),
    });
    monitor.reportFailure('a', first);
    expect(monitor.reportOf('a')).toEqual({ state: 'suspect', sinceMs, fault: first, roundTripMs: 0 });
    monitor.reportFailure('a', new TimeoutError('a', 'get', 1));
    expect(monitor.reportOf('a').fault).toBe(first);
  });

  it('tells those who wait at a node that its probes go unanswered, also before it is down', async () => {
    const { clock, changes, monitor } = makeMonitor();
    const told: string[] = [];
    monitor.watch('a', async () => {
      throw new TimeoutError('a', 'ping', 200);
    });
    monitor.onUnanswered('a', () => told.push('first'));
    const stop = monitor.onUnanswered('a', () => told.push('second'));
    stop();
    monitor.start();
    await clock.advance(500);
    expect(told).toEqual([]);
    await clock.advance(500);
    expect(told).toEqual(['first']);
    expect(changes).toEqual(['a suspect']);
  });

  it('does not tell those who wait at a node of a probe that says nothing of it', async () => {
    const { clock, monitor } = makeMonitor();
    let isBehindWrites = false;
    let told = 0;
    monitor.watch('a', async () => {
      throw new TimeoutError('a', 'ping', 200, { isBehindWrites });
    });
    monitor.onUnanswered('a', () => told++);
    monitor.start();
    await clock.advance(1_000);
    isBehindWrites = true;
    await clock.advance(2_000);
    expect(told).toBe(1);
  });

  it('probes again at once where a probe took longer than the interval', async () => {
    const { clock, monitor } = makeMonitor();
    const begun: number[] = [];
    monitor.watch('a', () => {
      begun.push(clock.nowMs());
      return new Promise<void>((resolve) => clock.schedule(700, () => resolve(), false));
    });
    monitor.start();
    await clock.advance(2_500);
    expect(begun).toEqual([0, 700, 1_400, 2_100]);
  });

  it('makes a node suspect at once when a call fails, and lets a probe decide', async () => {
    const { clock, changes, monitor } = makeMonitor();
    monitor.watch('a', async () => {});
    monitor.start();
    monitor.reportFailure('a', new TimeoutError('a', 'get', 1));
    monitor.reportFailure('a', new NodeReplyError('a', 'get', 'OOM'));
    expect(monitor.stateOf('a')).toBe('suspect');
    await clock.advance(500);
    expect(changes).toEqual(['a suspect', 'a up']);
  });

  it('takes an answer to a PING of others for a probe that has passed', async () => {
    const { clock, changes, monitor } = makeMonitor();
    let answers = false;
    const asked: number[] = [];
    monitor.watch('a', async (timeoutMs) => {
      asked.push(timeoutMs);
      if (!answers) throw new TimeoutError('a', 'ping', timeoutMs);
    });
    monitor.start();
    await clock.advance(0);
    expect(monitor.healthOf('a')).toBe('suspect');
    answers = true;
    await monitor.ask('a', 900);
    expect(asked).toEqual([200, 900]);
    expect(monitor.healthOf('a')).toBe('up');
    expect(changes).toEqual(['a suspect', 'a up']);
  });

  it('counts every failure, also of a backend that always rejects with the same error', async () => {
    const { clock, changes, monitor } = makeMonitor();
    monitor.watch('a', async () => {});
    monitor.start();
    const failure = new TimeoutError('a', 'get', 1);
    monitor.reportFailure('a', failure);
    await clock.advance(0);
    expect(changes).toEqual(['a suspect', 'a up']);
    monitor.reportFailure('a', failure);
    expect(changes).toEqual(['a suspect', 'a up', 'a suspect']);
  });

  it('does not let one slow probe delay another, nor probes a node twice at once', async () => {
    const { clock, monitor } = makeMonitor();
    let slowProbes = 0;
    monitor.watch('slow', () => {
      slowProbes++;
      return new Promise(() => {});
    });
    let fastProbes = 0;
    monitor.watch('fast', async () => {
      fastProbes++;
    });
    monitor.start();
    await clock.advance(2_000);
    expect([slowProbes, fastProbes]).toEqual([1, 5]);
  });

  it('forgets a node that is not watched any more, also when its probe answers later', async () => {
    const { clock, changes, monitor } = makeMonitor();
    let fail = (_: unknown) => {};
    monitor.watch('a', () => new Promise((_, reject) => (fail = reject)));
    monitor.start();
    await clock.advance(500);
    monitor.unwatch('a');
    monitor.watch('a', async () => {});
    fail(new Error('late'));
    await clock.advance(500);
    expect(changes).toEqual([]);
    expect(monitor.stateOf('a')).toBe('up');
    expect(monitor.stateOf('never watched')).toBe('up');
  });

  it('leaves no timer behind when it is stopped, and cannot be started again', async () => {
    const { clock, monitor } = makeMonitor();
    monitor.watch('a', async () => {});
    monitor.start();
    monitor.stop();
    monitor.start();
    expect(clock.pendingTimers).toBe(0);
  });

  it('knows nothing of a node until a probe has passed, and calls it as if it were up until then', async () => {
    const { clock, changes, monitor } = makeMonitor();
    monitor.watch('a', async () => {});
    monitor.watch('b', () => Promise.reject(new NodeUnavailableError('b', 'ping')));
    expect([monitor.healthOf('a'), monitor.stateOf('a'), monitor.illNodes().size]).toEqual(['unknown', 'up', 0]);
    monitor.reportFailure('a', new TimeoutError('a', 'get', 1));
    expect(monitor.healthOf('a')).toBe('suspect');
    monitor.start();
    await clock.advance(0);
    expect(monitor.healthOf('a')).toBe('up');
    expect(monitor.healthOf('b')).not.toBe('up');
    monitor.watch('c', async () => {});
    expect(monitor.healthOf('c')).toBe('unknown');
    await clock.advance(0);
    expect(monitor.healthOf('c')).toBe('up');
    expect(changes).not.toContain('c up');
  });
});
