import { describe, expect, it } from 'vitest';
import {
  ClosedError,
  NodeReplyError,
  NodeUnavailableError,
  TimeoutError,
  UnknownOutcomeError,
} from '../../src/errors/index.ts';
import { isNodeFault, nextHealth } from '../../src/health/detector.ts';
import { HealthMonitor } from '../../src/health/monitor.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

describe('nextHealth', () => {
  it.each([
    ['up', 'call failed', 'suspect'],
    ['suspect', 'call failed', 'suspect'],
    ['down', 'call failed', 'down'],
    ['up', 'probe failed', 'down'],
    ['suspect', 'probe failed', 'down'],
    ['down', 'probe failed', 'down'],
    ['up', 'probe passed', 'up'],
    ['suspect', 'probe passed', 'up'],
    ['down', 'probe passed', 'up'],
  ] as const)('of a node that is %s, after %s, is %s', (state, observation, next) => {
    expect(nextHealth(state, observation)).toBe(next);
  });
});

describe('isNodeFault', () => {
  it('holds for lost connections and late answers, and not for what a healthy server may say', () => {
    expect(isNodeFault(new NodeUnavailableError('a', 'get'))).toBe(true);
    expect(isNodeFault(new TimeoutError('a', 'get', 1))).toBe(true);
    expect(isNodeFault(new UnknownOutcomeError('a', 'set'))).toBe(true);
    expect(isNodeFault(new NodeReplyError('a', 'get', 'WRONGTYPE'))).toBe(false);
    expect(isNodeFault(new ClosedError('backend'))).toBe(false);
    expect(isNodeFault(new Error('other'))).toBe(false);
  });
});

function makeMonitor() {
  const clock = new SimulatedClock();
  const changes: string[] = [];
  const monitor = new HealthMonitor({
    clock,
    probeIntervalMs: 500,
    probeTimeoutMs: 200,
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
    expect(timeouts).toEqual([200, 200]);
    alive = false;
    await clock.advance(1_000);
    expect(monitor.stateOf('a')).toBe('down');
    expect(monitor.faultOf('a')).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE' });
    expect(monitor.allUp).toBe(false);
    alive = true;
    await clock.advance(500);
    expect(monitor.faultOf('a')).toBeUndefined();
    expect(monitor.allUp).toBe(true);
    expect(changes).toEqual(['a down', 'a up']);
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
    expect([slowProbes, fastProbes]).toEqual([1, 4]);
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
});
