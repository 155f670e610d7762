/**
 * Subscriptions whose homes change, against simulated servers, in every order of events: calls and changes that overlap,
 * replies that are late, connections that are lost.
 */

import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { Family } from '../../../src/redis/pubsub/channel.ts';
import { type ChannelHomes, PubSub } from '../../../src/redis/pubsub/pubsub.ts';
import { SimulatedClock } from '../../../src/testing/simulated-clock.ts';
import { anyServer } from '../../support/any-server.ts';
import { SimulatedConnection } from './simulated-connection.ts';

const timeoutMs = 1_000;
const channels = ['0', '1'];
const patterns = ['p*'];

/** Homes by turns, so that every change moves something. */
const homesOf = (nodes: readonly string[]): ChannelHomes => ({
  nodes,
  nodeOf: (channel) => nodes[(Number(channel) + nodes.length) % nodes.length]!,
});

type Method = 'subscribe' | 'psubscribe' | 'ssubscribe' | 'unsubscribe' | 'punsubscribe' | 'sunsubscribe';

type Event =
  | { readonly kind: 'call'; readonly method: Method; readonly name: string }
  | { readonly kind: 'rehome' | 'prepare'; readonly nodes: readonly string[] }
  | { readonly kind: 'comeUp' | 'execute' | 'lose'; readonly node: number }
  | { readonly kind: 'wait'; readonly ms: number };

const someNodes = fc.subarray(['a', 'b', 'c'], { minLength: 1 });
const callOf = (methods: readonly Method[], names: readonly string[]) =>
  fc.record({
    kind: fc.constant('call' as const),
    method: fc.constantFrom(...methods),
    name: fc.constantFrom(...names),
  });
const nodeEvent = (kind: 'comeUp' | 'execute' | 'lose') => fc.record({ kind: fc.constant(kind), node: fc.nat(9) });

const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: callOf(['subscribe', 'subscribe', 'unsubscribe'], channels) },
  { weight: 2, arbitrary: callOf(['psubscribe', 'punsubscribe'], patterns) },
  { weight: 2, arbitrary: callOf(['ssubscribe', 'sunsubscribe'], channels) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rehome' as const), nodes: someNodes }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prepare' as const), nodes: someNodes }) },
  { weight: 4, arbitrary: nodeEvent('comeUp') },
  { weight: 16, arbitrary: nodeEvent('execute') },
  { weight: 1, arbitrary: nodeEvent('lose') },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, timeoutMs / 2, timeoutMs) }),
  },
);

/** A PubSub over simulated servers, with what is expected of it. */
class Simulation {
  readonly clock = new SimulatedClock();
  readonly connections: SimulatedConnection[] = [];
  readonly desired: Record<Family, Set<string>> = {
    subscribe: new Set(),
    psubscribe: new Set(),
    ssubscribe: new Set(),
  };
  homes = homesOf(['a', 'b']);
  /** When a topology ended by which a desired channel had this home, as `a subscribe 1`. */
  readonly wasHomeUntilMs = new Map<string, number>();
  readonly calls: Promise<unknown>[] = [];
  /** Calls to subscribe so far. */
  begunCalls = 0;
  /** What is to be heard, as `subscribe 1`. */
  readonly promised = new Set<string>();
  readonly violations: string[] = [];
  readonly pubsub = new PubSub({
    ...{ homes: this.homes, clock: this.clock, timeoutMs, handshakeTimeoutMs: 1e9, heartbeatMs: 1e9 },
    makeClient: (nodeId) => {
      const client = new SimulatedConnection(nodeId, (...sent) => this.#onSent(...sent));
      this.connections.push(client);
      return { client: client as unknown as Redis, check: anyServer };
    },
    target: new EventEmitter(),
    onError: () => undefined,
  });

  homesOf(family: Family, name: string): readonly string[] {
    return family === 'psubscribe' ? this.homes.nodes : [this.homes.nodeOf(name)];
  }

  /** The connections of the node on which the server has executed this subscription, of one kind. */
  holders(node: string, family: Family, name: string): SimulatedConnection[] {
    return this.connections.filter(({ nodeId, executed }) => nodeId === node && executed.has(`${family} ${name}`));
  }

  /** A desired subscription ends nowhere before its homes have it, nor while calls by the former topology may publish. */
  #onSent({ nodeId }: SimulatedConnection, family: Family, isEnd: boolean, names: readonly string[]): void {
    if (!isEnd) return;
    for (const name of names.filter((one) => this.desired[family].has(one))) {
      const homes = this.homesOf(family, name);
      this.check(!homes.includes(nodeId), `${family} ${name} ends at its home ${nodeId}`);
      this.check(this.isAtHome(family, name), `${family} ${name} ends at ${nodeId} before its homes have it`);
      const wasHomeUntilMs = this.wasHomeUntilMs.get(`${nodeId} ${family} ${name}`) ?? Number.NEGATIVE_INFINITY;
      this.check(this.clock.nowMs() >= wasHomeUntilMs + timeoutMs, `${family} ${name} ends too early at ${nodeId}`);
    }
  }

  isAtHome(family: Family, name: string): boolean {
    return this.homesOf(family, name).every((home) => this.holders(home, family, name).length === 1);
  }

  check(isTrue: boolean, violation: string): void {
    if (!isTrue) this.violations.push(violation);
  }

  async apply(event: Event): Promise<void> {
    switch (event.kind) {
      case 'call':
        this.#call(event.method, event.name);
        break;
      case 'rehome':
        for (const entry of expectedOf(this)) this.wasHomeUntilMs.set(entry, this.clock.nowMs());
        this.homes = homesOf(event.nodes);
        this.promised.clear();
        this.calls.push(this.pubsub.rehome(this.homes));
        break;
      case 'prepare':
        this.calls.push(this.pubsub.prepare(homesOf(event.nodes)));
        break;
      case 'wait':
        await this.clock.advance(event.ms);
        break;
      default:
        if (event.kind === 'lose') this.promised.clear();
        this.connections[event.node % this.connections.length]?.[event.kind]();
    }
    await new Promise(setImmediate);
    this.#checkOnce();
    this.#checkPromises();
  }

  #call(method: Method, name: string): void {
    const family = method.replace('un', '') as Family;
    const call = method.includes('un') ? this.#end(method, family, name) : this.#begin(method, family, name);
    this.calls.push(call);
  }

  async #begin(method: Method, family: Family, name: string): Promise<void> {
    this.desired[family].add(name);
    this.begunCalls++;
    try {
      await this.pubsub[method](name);
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/TIMEOUT|UNAVAILABLE/) });
      return;
    }
    if (this.desired[family].has(name)) this.promised.add(`${family} ${name}`);
  }

  /** No message comes once it has resolved, unless it was given up as late. */
  async #end(method: Method, family: Family, name: string): Promise<void> {
    const entry = `${family} ${name}`;
    this.desired[family].delete(name);
    const beganMs = this.clock.nowMs();
    const { begunCalls } = this;
    this.promised.delete(entry);
    await this.pubsub[method](name);
    const isLate = this.clock.nowMs() >= beganMs + timeoutMs;
    if (begunCalls !== this.begunCalls || isLate) return;
    this.check(!this.connections.some(({ executed }) => executed.has(entry)), `${method} ${name} resolved too early`);
  }

  /** Once `subscribe` has resolved, no message is missed for as long as connections last and homes stay. */
  #checkPromises(): void {
    for (const entry of this.promised) {
      const [family, name] = entry.split(' ') as [Family, string];
      this.check(this.isAtHome(family, name), `${entry} is not at its homes`);
    }
  }

  /** A message that a node is given comes once. */
  #checkOnce(): void {
    for (const { nodeId, executed } of this.connections) {
      for (const entry of executed) {
        const [family, name] = entry.split(' ') as [Family, string];
        this.check(this.holders(nodeId, family, name).length === 1, `${entry} is there twice at ${nodeId}`);
      }
    }
  }
}

/** What servers have at the end, as `a subscribe 1`. */
function executedBy({ connections }: Simulation): string[] {
  return connections.flatMap(({ nodeId, executed }) => [...executed].map((entry) => `${nodeId} ${entry}`)).sort();
}

function expectedOf(simulation: Simulation): string[] {
  const { desired } = simulation;
  return (Object.keys(desired) as Family[])
    .flatMap((family) =>
      [...desired[family]].flatMap((name) =>
        simulation.homesOf(family, name).map((home) => `${home} ${family} ${name}`),
      ),
    )
    .sort();
}

/** Servers do all that they are sent, connections come up, and time passes, until nothing more happens. */
async function runOut(simulation: Simulation, isLate: boolean): Promise<void> {
  if (isLate) await simulation.clock.advance(2 * timeoutMs);
  for (let round = 0; round < 6; round++) {
    for (let isBusy = true; isBusy; ) {
      await new Promise(setImmediate);
      isBusy = simulation.connections.map((connection) => connection.comeUp() || connection.execute()).includes(true);
    }
    await simulation.clock.advance(timeoutMs);
  }
}

describe('subscriptions whose homes change', () => {
  it('are in the end exactly what is desired, exactly at its homes, and on the way never nowhere and never twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(events, { minLength: 10, maxLength: 60 }), fc.boolean(), async (steps, isLate) => {
        const simulation = new Simulation();
        for (const step of steps) await simulation.apply(step);
        await simulation.apply({ kind: 'rehome', nodes: simulation.homes.nodes });
        await runOut(simulation, isLate);
        expect(simulation.violations).toEqual([]);
        expect(executedBy(simulation)).toEqual(expectedOf(simulation));
        await Promise.all(simulation.calls);
        const left = simulation.connections.filter(({ status }) => status !== 'end').map(({ nodeId }) => nodeId);
        for (const node of left) expect(simulation.homes.nodes).toContain(node);
        simulation.pubsub.close();
        expect(simulation.connections.every(({ status }) => status === 'end')).toBe(true);
        expect(simulation.clock.pendingTimers).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('are confirmed by their own reply, and not by that to a subscription which has ended meanwhile', async () => {
    const simulation = new Simulation();
    const call = (method: Method) => simulation.apply({ kind: 'call', method, name: '0' });
    const execute = () => simulation.apply({ kind: 'execute', node: 0 });
    await call('subscribe');
    await simulation.apply({ kind: 'comeUp', node: 0 });
    await call('unsubscribe');
    await call('subscribe');
    await execute();
    expect(simulation.promised.size).toBe(0);
    await execute();
    await execute();
    expect(simulation.promised).toEqual(new Set(['subscribe 0']));
    expect(simulation.violations).toEqual([]);
    simulation.pubsub.close();
  });

  it('are heard from one connection to a node that left and is back, as both may lead to one server', async () => {
    const simulation = new Simulation();
    await simulation.apply({ kind: 'call', method: 'psubscribe', name: 'p*' });
    await runOut(simulation, false);
    await simulation.apply({ kind: 'rehome', nodes: ['a'] });
    const [, left] = simulation.connections;
    expect(left).toMatchObject({ nodeId: 'b', status: 'ready' });
    await simulation.apply({ kind: 'rehome', nodes: ['a', 'c'] });
    expect(left).toMatchObject({ nodeId: 'b', status: 'end' });
    simulation.pubsub.close();
  });

  it('end at a node that has left as well, which is still heard', async () => {
    const simulation = new Simulation();
    await simulation.apply({ kind: 'call', method: 'psubscribe', name: 'p*' });
    await runOut(simulation, false);
    await simulation.apply({ kind: 'rehome', nodes: ['a'] });
    await simulation.apply({ kind: 'call', method: 'punsubscribe', name: 'p*' });
    const [first, left] = simulation.connections;
    first!.execute();
    left!.execute();
    expect([first!.executed.size, left!.executed.size]).toEqual([0, 0]);
    await Promise.all(simulation.calls);
    simulation.pubsub.close();
  });

  it('are over when a call to unsubscribe resolves, also a second one while the first is in flight', async () => {
    const simulation = new Simulation();
    const call = (method: Method) => simulation.apply({ kind: 'call', method, name: '0' });
    await call('subscribe');
    await runOut(simulation, false);
    await call('unsubscribe');
    let isOver = false;
    void simulation.pubsub.unsubscribe('0').then(() => {
      isOver = true;
    });
    await simulation.apply({ kind: 'wait', ms: 1 });
    expect(isOver).toBe(false);
    await simulation.apply({ kind: 'execute', node: 0 });
    expect(isOver).toBe(true);
    simulation.pubsub.close();
  });

  it('are waited for where they are now: a call does not wait for a home that is none any more', async () => {
    const simulation = new Simulation();
    const call = () => simulation.apply({ kind: 'call', method: 'subscribe', name: '1' });
    await call();
    await runOut(simulation, false);
    await simulation.apply({ kind: 'rehome', nodes: ['b', 'c'] });
    await call();
    expect(simulation.promised.size).toBe(0); // c has not been reached.
    await simulation.apply({ kind: 'rehome', nodes: ['a', 'b'] });
    expect(simulation.promised).toEqual(new Set(['subscribe 1']));
    expect(simulation.violations).toEqual([]);
    simulation.pubsub.close();
  });

  it('cost the same for each call, however many calls wait', async () => {
    let asked = 0;
    const nodeOf = () => {
      asked++;
      return 'a';
    };
    const simulation = new Simulation();
    void simulation.pubsub.rehome({ nodes: ['a'], nodeOf });
    const count = 500;
    const calls = Array.from({ length: count }, (_, index) => simulation.pubsub.subscribe(`${index}`));
    await runOut(simulation, false);
    await Promise.all(calls);
    expect(asked).toBeLessThan(10 * count);
    simulation.pubsub.close();
  });
});
