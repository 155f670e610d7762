import { describe, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { completeBackend } from '../../src/backend/complete-backend.ts';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { type BackendAdapter, describeBackend } from '../../src/testing/backend-suite.ts';
import { FaultyBackend } from '../../src/testing/faulty-backend.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

const noPrefix = 'a memory backend is nobody else’s, so it has no prefix';

function adapterOf(
  name: string,
  make: (memory: MemoryBackend, clock: SimulatedClock) => Backend,
  unsupported: BackendAdapter['unsupported'] = {},
): BackendAdapter {
  const clock = new SimulatedClock();
  return {
    name,
    create: async () => make(new MemoryBackend({ clock }), clock),
    passTime: (ms) => clock.advance(ms),
    nowMs: () => clock.wallMs(),
    unsupported: { prefixed: noPrefix, ...unsupported },
  };
}

describeBackend(
  { describe, it },
  adapterOf('MemoryBackend', (memory) => memory),
);

const clock = new SimulatedClock();
describeBackend(
  { describe, it },
  {
    ...adapterOf('MemoryBackend with limits that are not reached', (memory) => memory),
    create: async () => new MemoryBackend({ clock, maxEntries: 20_000, maxBytes: 100_000_000 }),
    passTime: (ms) => clock.advance(ms),
    nowMs: () => clock.wallMs(),
  },
);

describeBackend(
  { describe, it },
  adapterOf('FaultyBackend without faults', (memory, its) => new FaultyBackend(memory, { clock: its })),
);

/** The five required calls of a memory backend and nothing else; it does not end its calls and keeps no expiry. */
function minimal(memory: MemoryBackend): Backend {
  return {
    name: 'minimal',
    get: (key) => memory.get(key, {}),
    set: (key, value) => memory.set(key, value, {}),
    delete: (key) => memory.delete(key, {}),
    ping: () => memory.ping({}),
    close: () => memory.close(),
    [Symbol.asyncDispose]: () => memory.close(),
  };
}

const onlyRequired = 'the adapter has the five required calls only';
const lacking = {
  expiringValues: onlyRequired,
  expiring: onlyRequired,
  conditional: onlyRequired,
  counting: onlyRequired,
  listing: onlyRequired,
  clearing: onlyRequired,
};

describeBackend({ describe, it }, adapterOf('a minimal adapter', minimal, { ...lacking, many: onlyRequired }));

describeBackend(
  { describe, it },
  adapterOf(
    'a minimal adapter, completed',
    (memory, its) => completeBackend(minimal(memory), { clock: its, nodeName: 'n1' }),
    lacking,
  ),
);
