import { expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { HealthMonitor } from '../../src/health/monitor.ts';
import { unwatched } from '../../src/health/node-observer.ts';
import { DeleteMany } from '../../src/nodes/operations.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { Fleet, type RoutingPolicy } from '../../src/routing/fleet.ts';
import { writeMany } from '../../src/routing/write-many.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { firstTopology } from '../../src/topology/topology.ts';

it.each([true, false])(
  'a write of many keys ends and holds no key, though a step of ours throws',
  async (waitForAll) => {
    const clock = new SimulatedClock();
    const placement = HashRing.create([{ id: 'a' }, { id: 'b' }]);
    const monitor = new HealthMonitor({
      ...{ clock, probeIntervalMs: 500, probeTimeoutMs: 500, patienceMs: 500 },
      onChange: () => undefined,
    });
    const policy = { timeoutMs: 600, writeConsistency: 'all' } as unknown as RoutingPolicy;
    const topology = firstTopology(placement, 2);
    const fleet = new Fleet(topology, policy, monitor, clock, () => undefined);
    for (const id of ['a', 'b']) fleet.add({ id, backend: new MemoryBackend({ clock }), observer: unwatched });
    const keys = ['x', 'y'];
    const call = {
      name: 'deleteMany',
      keys,
      waitForAll,
      operationFor: () => new DeleteMany(keys),
      failuresIn: (): never => {
        throw new Error('a fault of ours');
      },
    };
    await expect(writeMany(fleet, call, {})).rejects.toThrow('a fault of ours');
    await fleet.drained();
    expect(keys.map((key) => fleet.guards.takeForCopy(key).broken)).toEqual([false, false]);
  },
);
