import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { NodeReplyError, NodeUnavailableError, TimeoutError } from '../../src/errors/index.ts';
import { HealthMonitor } from '../../src/health/monitor.ts';
import { ServingStates } from '../../src/health/serving-states.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { Unreadable } from '../support/backend-of-others.ts';

function makeMonitor(clock = new SimulatedClock()) {
  const changes: string[] = [];
  const monitor = new HealthMonitor({
    ...{ clock, probeIntervalMs: 500, probeTimeoutMs: 200, patienceMs: 2_000 },
    onChange: (node, state) => changes.push(`${node} ${state}`),
  });
  return { clock, changes, monitor };
}

const late = new TimeoutError('a', 'get', 100);

describe('the watch of a node', () => {
  it('counts the calls in flight, and knows when the node last answered and how long it took', async () => {
    const { clock, monitor } = makeMonitor();
    const watch = monitor.watch('a', async () => {});
    expect(watch.traffic).toEqual({ inFlight: 0, latencyMs: undefined });
    for (let count = 0; count < 4; count++) watch.began();
    watch.abandoned();
    watch.failed(late, 0, 100);
    expect(watch.traffic).toEqual({ inFlight: 2, latencyMs: undefined });
    await clock.advance(80);
    watch.answered(0);
    expect(watch.traffic).toEqual({ inFlight: 1, latencyMs: 80 });
    await clock.advance(180);
    watch.answered(100);
    expect(watch.traffic).toEqual({ inFlight: 0, latencyMs: 90 });
  });

  it('looks at the clock for every answer of a node that has few calls, and for one of eight of one that has many', () => {
    const clock = new SimulatedClock();
    const looks = vi.spyOn(clock, 'nowMs');
    const { monitor } = makeMonitor(clock);
    const watch = monitor.watch('a', async () => {});
    for (let count = 0; count < 1_000; count++) {
      watch.began();
      watch.answered(0);
    }
    expect(looks).toHaveBeenCalledTimes(1_000);
    looks.mockClear();
    for (let count = 0; count < 20; count++) watch.began();
    for (let count = 0; count < 800; count++) {
      watch.began();
      watch.answered(0);
    }
    expect(looks).toHaveBeenCalledTimes(100);
  });

  it('hears failures that speak of the node, and no answer brings it back but that to a probe', async () => {
    const { clock, changes, monitor } = makeMonitor();
    const watch = monitor.watch('a', async () => {});
    monitor.start();
    await clock.advance(100);
    watch.failed(new NodeReplyError('a', 'get', 'OOM'), 0, 100);
    expect(watch.state).toBe('up');
    watch.failed(late, 0, 100);
    watch.answered(0);
    expect(watch.state).toBe('suspect');
    await clock.advance(500);
    expect(changes).toEqual(['a suspect', 'a up']);
  });

  it('hears nothing any more once the node has left, so that a late failure says nothing of its successor', async () => {
    const { clock, changes, monitor } = makeMonitor();
    const former = monitor.watch('a', async () => {});
    former.began();
    former.began();
    monitor.unwatch('a');
    former.failed(late, 0, 100);
    const present = monitor.watch('a', async () => {});
    former.failed(late, 0, 100);
    expect(former.traffic.inFlight).toBe(0);
    monitor.start();
    await clock.advance(100);
    expect([present.state, monitor.healthOf('a'), former.state]).toEqual(['up', 'up', 'unknown']);
    expect(changes).toEqual([]);
  });

  it('takes no report of the server from an answer to a probe that comes after the node has left', async () => {
    const { clock, monitor } = makeMonitor();
    const watch = monitor.watch('a', async () => {
      await new Promise<void>((resolve) => clock.schedule(100, resolve, false));
    });
    monitor.start();
    await clock.advance(50);
    monitor.unwatch('a');
    await clock.advance(100);
    expect(watch.report).toEqual({ state: 'unknown' });
  });

  it('can be read without a look at the state, and says of a node that is not up since when', () => {
    const { monitor } = makeMonitor();
    const { report } = monitor.watch('a', async () => {});
    expectTypeOf(report.sinceMs).toEqualTypeOf<number | undefined>();
    expectTypeOf(report.fault).toEqualTypeOf<unknown>();
    if (report.state === 'down' || report.state === 'suspect') expectTypeOf(report.sinceMs).toEqualTypeOf<number>();
    if (report.state === 'up') expectTypeOf(report.fault).toEqualTypeOf<undefined>();
  });

  it('does not probe a node that has left, though a probe of it was due', async () => {
    const { clock, monitor } = makeMonitor();
    let probes = 0;
    monitor.watch('a', () => {
      probes++;
      return new Promise<void>((resolve) => clock.schedule(700, resolve, false));
    });
    monitor.start();
    await clock.advance(600);
    monitor.unwatch('a');
    await clock.advance(2_000);
    expect(probes).toBe(1);
  });

  it('reports what the last probe that passed has found: its round trip, and what the server says of itself', async () => {
    const { clock, monitor } = makeMonitor();
    let answer: () => unknown = () => ({
      make: 'valkey',
      version: '8.1.0',
      role: 'primary',
      runId: 'r',
      password: 'secret',
    });
    const watch = monitor.watch('a', async () => {
      await new Promise<void>((resolve) => clock.schedule(30, resolve, false));
      return answer();
    });
    expect(watch.report).toEqual({ state: 'unknown' });
    monitor.start();
    await clock.advance(100);
    const server = { make: 'valkey', version: '8.1.0', role: 'primary', runId: 'r' };
    expect(watch.report).toEqual({ state: 'up', roundTripMs: 30, server });
    const refusal = new NodeUnavailableError('a', 'ping');
    answer = () => {
      throw refusal;
    };
    await clock.advance(500);
    expect(watch.report).toEqual({
      ...{ state: 'suspect', fault: refusal, sinceMs: clock.wallMs() - 70, roundTripMs: 30, server },
    });
  });

  it.each([['PONG'], [undefined], [null], [7], [[]], [{ version: 7, role: 'sentinel', other: 1 }], [new Unreadable()]])(
    'takes no report of a server from an answer that is none: %#',
    async (answer) => {
      const { clock, monitor } = makeMonitor();
      const watch = monitor.watch('a', async () => answer);
      monitor.start();
      await clock.advance(0);
      expect(watch.report).toEqual({ state: 'up', roundTripMs: 0, server: undefined });
    },
  );
});

describe('the version of health', () => {
  it('grows when a node comes or goes and when its state changes, and not by what changes no state', async () => {
    const { clock, monitor } = makeMonitor();
    const grows = async (step: () => unknown) => {
      const before = monitor.version;
      await step();
      return monitor.version > before;
    };
    let isWell = true;
    const probe = async () => {
      if (!isWell) throw new NodeUnavailableError('a', 'ping');
    };
    expect(await grows(() => monitor.watch('a', probe))).toBe(true);
    const watch = monitor.watch('a', probe);
    monitor.start();
    expect(await grows(() => clock.advance(0))).toBe(true); // From unknown to up.
    expect(await grows(() => clock.advance(500))).toBe(false);
    expect(await grows(() => watch.answered(0))).toBe(false);
    isWell = false;
    expect(await grows(() => clock.advance(500))).toBe(true);
    expect(await grows(() => watch.failed(late, 0, 1))).toBe(false);
    expect(await grows(() => clock.advance(1_000))).toBe(true); // From suspect to down.
    expect(await grows(() => clock.advance(5_000))).toBe(false);
    expect(await grows(() => monitor.unwatch('a'))).toBe(true);
  });

  it('tells those who keep what they derived when to make it anew', () => {
    const { monitor } = makeMonitor();
    const states = new ServingStates(monitor);
    expect([states.allUp, states.stateOf('a')]).toEqual([true, 'up']);
    const watch = monitor.watch('a', async () => {});
    monitor.watch('b', async () => {});
    expect(states.allUp).toBe(true);
    watch.failed(late, 0, 1);
    expect([states.allUp, states.stateOf('a'), states.stateOf('b')]).toEqual([false, 'suspect', 'up']);
    monitor.unwatch('a');
    expect([states.allUp, states.stateOf('a')]).toEqual([true, 'up']);
  });
});
