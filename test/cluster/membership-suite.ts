/** What changes of the nodes do under either face, with keys that are not moved. What one face alone can do has its own file. */

import { describe, expect, it } from 'vitest';
import type { Rebalance, RebalanceProgress } from '../../src/cluster/rebalance.ts';
import { planRebalance } from '../../src/rebalance/plan.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { outcomeOf } from '../support/eventually.ts';
import { collect } from '../support/faulty-cache.ts';

export interface Face {
  readonly topology: Topology;
  addNode(node: object, options: object): Rebalance;
  removeNode(id: string, options: object): Rebalance;
  setWeight(id: string, weight: number, options: object): Rebalance;
  setPlacement(placement: never, options: object): Rebalance;
  on(name: string, listener: (event: object) => void): unknown;
  health(): ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** A face over the nodes a, b and c. */
export interface World {
  readonly face: Face;
  /** A node that answers. */
  node(id: string): object;
  /** One that fails at once, until it is started. */
  deadNode(id: string): { readonly node: object; start(): Promise<void> };
  /** One that does not answer at all. */
  silentNode(id: string): object;
  write(keys: readonly string[]): Promise<unknown>;
  /** Those of the keys that are found. */
  found(keys: readonly string[]): Promise<string[]>;
  /** So much time has passed when it resolves; a face whose time is the real one needs no help. */
  pass(ms: number): Promise<void>;
}

export interface WorldOptions {
  readonly replicationFactor?: number;
  readonly timeoutMs?: number;
}

const none = { strategy: 'none' } as const;
const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);
const ids = ['a', 'b', 'c'];
const code = (name: string) => expect.objectContaining({ code: name });
const field = (name: string) => expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: name });
const idsOf = ({ placement }: Topology) => placement.nodes.map(({ id }) => id);

/** @param open  A new world for each test, which is closed with it. */
export function describeMembership(name: string, open: (options?: WorldOptions) => Promise<World>): void {
  describe(`a change of the nodes of ${name}`, () => {
    it('puts a placement in force at the next epoch, tells of it, and resolves with its plan', async () => {
      const { face, node } = await open();
      const events: object[] = [];
      face.on('rebalance', (event) => events.push(event));
      const before = face.topology;
      const plan = await face.addNode(node('d'), none);
      const after = face.topology;
      expect([before.epoch, after.epoch, after.phase.kind]).toEqual([1, 2, 'stable']);
      expect(after.placement.checksum).toBe(before.placement.withNode({ id: 'd' }).checksum);
      expect(plan).toEqual(planRebalance(before.placement, after.placement, { replicationFactor: 1 }));
      await face.setWeight('d', 2, none);
      await face.removeNode('a', none);
      const next = before.placement.withNode({ id: 'd', weight: 2 }).withoutNode('a');
      expect([face.topology.epoch, face.topology.placement.checksum]).toEqual([4, next.checksum]);
      const change = { kind: 'addNode', node: 'd', weight: 1 };
      expect(events[0]).toEqual({ epoch: 2, change, plan });
      expect(events.slice(1)).toMatchObject([
        { epoch: 3, change: { kind: 'setWeight', node: 'd', weight: 2 } },
        { epoch: 4, change: { kind: 'removeNode', node: 'a' } },
      ]);
      expect([...face.health().keys()].sort()).toEqual(['b', 'c', 'd']);
    });

    it('takes another placement of the same nodes as it is, or made of the present one', async () => {
      const { face } = await open();
      const heavy = face.topology.placement.withWeight('a', 5);
      await face.setPlacement(heavy as never, none);
      expect(face.topology.placement).toBe(heavy);
      await face.setPlacement(((placement: typeof heavy) => placement.withWeight('b', 3)) as never, none);
      expect(face.topology.placement.checksum).toBe(heavy.withWeight('b', 3).checksum);
      const others = face.setPlacement(heavy.withoutNode('a') as never, none);
      await expect(others).rejects.toThrow(field('placement'));
      expect(face.topology.epoch).toBe(3);
    });

    it('misses the keys that moved, and only those, and finds them where it is undone', async () => {
      const { face, node, write, found } = await open();
      await write(keys);
      const after = face.topology.placement.withNode({ id: 'd' });
      const stayed = keys.filter((key) => after.nodeFor(key) !== 'd');
      await face.addNode(node('d'), none);
      expect(await found(keys)).toEqual(stayed);
      await face.removeNode('d', none);
      expect(await found(keys)).toEqual(keys);
    });

    it('is over as soon as it is in force, and cancelling it then changes nothing', async () => {
      const { face } = await open();
      const change = face.setWeight('a', 2, none);
      const seen: RebalanceProgress[] = await collect(change);
      expect(seen.at(-1)).toEqual({ phase: 'done', epoch: 2, plan: await change, filled: 0, remainingMs: 0 });
      change.cancel();
      expect(face.topology.epoch).toBe(2);
    });

    it('does not happen when the new node cannot answer, and its id is free for it later', async () => {
      const { face, deadNode } = await open();
      const { node, start } = deadNode('d');
      const change = face.addNode(node, none);
      await expect(change).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
      await expect(collect(change)).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
      expect([face.topology.epoch, [...face.health().keys()]]).toEqual([1, ids]);
      await start();
      await face.addNode(node, none);
      expect(idsOf(face.topology)).toEqual([...ids, 'd']);
    });

    it('waits while one of the same id is being added, and happens where that has failed', async () => {
      const { face, node, deadNode } = await open();
      const first = face.addNode(deadNode('d').node, none);
      const second = face.addNode(node('d'), none);
      const third = face.addNode(node('d'), none);
      await expect(first).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
      await second;
      await expect(third).rejects.toThrow(field('node.id'));
      expect(face.topology.epoch).toBe(2);
    });

    it('waits for its turn and then begins from the placement that it finds', async () => {
      const { face, node } = await open();
      const changes = [face.addNode(node('d'), none), face.setWeight('d', 2, none), face.removeNode('d', none)];
      await Promise.all(changes);
      expect([face.topology.epoch, idsOf(face.topology)]).toEqual([4, ids]);
    });

    it('rejects at once beside another one where it is not to wait, and says which one that is', async () => {
      const { face, node } = await open();
      const adding = face.addNode(node('d'), none);
      const weigh = () => face.setWeight('a', 2, { ...none, onBusy: 'reject' });
      const inProgress = { code: 'ERR_CHANGE_IN_PROGRESS', change: 'setWeight a', inProgress: 'addNode d' };
      await expect(weigh()).rejects.toMatchObject({ ...inProgress, retryable: true });
      await adding;
      await weigh();
      expect(face.topology.epoch).toBe(3);
    });

    it('is given up by its signal while it waits, and the next one takes its turn', async () => {
      const { face, node } = await open();
      const adding = face.addNode(node('d'), none);
      const controller = new AbortController();
      const reason = new Error('not now');
      const given = expect(face.setWeight('a', 2, { ...none, signal: controller.signal })).rejects.toBe(reason);
      const next = face.setWeight('a', 3, none);
      controller.abort(reason);
      await given;
      await adding;
      await next;
      expect(face.topology.placement.nodes.map(({ weight }) => weight)).toEqual([3, 1, 1, 1]);
    });

    it('is given up by its signal while the new node does not answer, and leaves the id free', async () => {
      const { face, node, silentNode } = await open({ timeoutMs: 30_000 });
      const controller = new AbortController();
      const reason = new Error('not now');
      const adding = face.addNode(silentNode('d'), { ...none, signal: controller.signal });
      setImmediate(() => controller.abort(reason));
      await expect(adding).rejects.toBe(reason);
      await face.addNode(node('d'), none);
      expect(face.topology.epoch).toBe(2);
    });

    it('is not made where its signal aborts before it takes force', async () => {
      const { face } = await open();
      const reason = new Error('not now');
      const changes = [
        (signal: AbortSignal) => face.setWeight('a', 2, { ...none, signal }),
        (signal: AbortSignal) => face.removeNode('c', { ...none, signal }),
      ];
      for (const [index, change] of changes.entries()) {
        for (let microtasks = 0; face.topology.epoch === index + 1; microtasks++) {
          const controller = new AbortController();
          const outcome = outcomeOf(Promise.resolve(change(controller.signal)));
          for (let left = microtasks; left > 0; left--) await undefined;
          const isInForce = face.topology.epoch !== index + 1;
          controller.abort(reason);
          const { error } = await outcome;
          if (!isInForce) expect([microtasks, error, face.topology.epoch]).toEqual([microtasks, reason, index + 1]);
        }
      }
      expect(face.topology.epoch).toBe(3);
    });

    it('rejects when its client is closed while the new node does not answer, as those do that wait for it', async () => {
      const { face, silentNode, pass } = await open({ timeoutMs: 300 });
      // The node has as much time to answer as closing has: either may be over first.
      const adding = expect(face.addNode(silentNode('d'), none)).rejects.toThrow();
      const weighing = expect(face.setWeight('a', 2, none)).rejects.toThrow(code('ERR_CLOSED'));
      const closing = face.close();
      await pass(300);
      await closing;
      await adding;
      await weighing;
      expect(idsOf(face.topology)).toEqual(ids);
    });

    it('does not happen when its arguments are wrong', async () => {
      const { face, node } = await open({ replicationFactor: 3 });
      await expect(face.addNode(node('a'), none)).rejects.toThrow(field('node.id'));
      await expect(face.addNode({ ...node('x'), weight: 0 }, none)).rejects.toThrow(field('node.weight'));
      await expect(face.addNode(node('x'), { strategy: 'move' })).rejects.toThrow(field('options.strategy'));
      await expect(face.addNode(node('x'), { ...none, onBusy: 'never' })).rejects.toThrow(field('options.onBusy'));
      await expect(face.removeNode('x', none)).rejects.toThrow(field('id'));
      await expect(face.setWeight('x', 1, none)).rejects.toThrow(field('id'));
      await expect(face.setWeight('a', Number.NaN, none)).rejects.toThrow(field('weight'));
      await expect(face.removeNode('a', none)).rejects.toThrow(
        'cannot remove a: 2 nodes would remain, replicationFactor is 3. Add a replacement first.',
      );
      const reason = new Error('enough');
      await expect(face.setWeight('a', 2, { ...none, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(face.topology.epoch).toBe(1);
    });

    it('is an unhandled rejection where it fails and nobody listens, as of any promise', async () => {
      const { face } = await open();
      const unhandled = new Promise((resolve) => {
        process.once('unhandledRejection', resolve);
      });
      void face.setWeight('nobody', 1, none);
      expect(await unhandled).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    });
  });
}
