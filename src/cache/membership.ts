/**
 * Changing which nodes there are and what they weigh, in this process.
 *
 * A change puts a new topology in force at once. With the strategy 'lazy' the former placement stays open for a while: what
 * the new owner misses is looked for at the former one. The data itself is not moved here.
 */

import type { CompleteBackend } from '../backend/backend.ts';
import { completeBackend } from '../backend/complete-backend.ts';
import type { ServerRoster } from '../backend/server-roster.ts';
import { ClosedError, InvalidArgumentError } from '../errors/index.ts';
import type { HealthMonitor } from '../health/monitor.ts';
import { expectPlacement } from '../placement/expect-placement.ts';
import type { Placement } from '../placement/placement.ts';
import { planRebalance, type RebalancePlan } from '../rebalance/plan.ts';
import type { Fleet } from '../routing/fleet.ts';
import { expectSameMembers } from '../routing/parse-placement.ts';
import { makeRoster, type RosterSettings } from '../routing/roster.ts';
import { untilAborted } from '../runtime/abort.ts';
import type { Gate } from '../runtime/gate.ts';
import { expectInteger, expectOneOf, expectOptions, expectSignal } from '../runtime/validate.ts';
import type { TopologyChange } from './events.ts';
import { type CacheNode, type ParsedNode, parseCacheNode } from './options.ts';
import { Rebalance, type RebalanceDriver } from './rebalance.ts';

export interface ChangeOptions {
  /**
   * 'lazy' (default): for `lazyForMs`, a read that misses at the new owner is answered, and filled, from the former one;
   * writes and deletes reach both. 'none': keys that change their owner are missed from now on.
   */
  readonly strategy?: 'lazy' | 'none' | undefined;
  /** How long former owners are asked, in milliseconds. Integer of at least 1; default 60,000. */
  readonly lazyForMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface ParsedChange {
  readonly lazyForMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** How often a lazy change reports its progress within its time. */
const reportsPerChange = 20;

export interface MembershipListener {
  changed(change: TopologyChange, plan: RebalancePlan, epoch: number): void;
  ended(epoch: number): void;
}

/** A change, to be made to whatever placement is in force then. */
interface PreparedChange {
  readonly change: TopologyChange;
  /** @throws {InvalidArgumentError} The change cannot be made to this placement. */
  nextPlacement(placement: Placement): Placement;
  /** Called when the placement has been made, before it is in force. */
  adopt?(): void;
}

/** What ends an open lazy change, and the plan of what was put in force. */
interface AppliedChange {
  readonly plan: RebalancePlan;
  readonly end: () => void;
}

/** Puts a change in force, at once. @throws {ClosedError} The cache was closed meanwhile. */
type Apply = (prepared: PreparedChange) => AppliedChange;

export class Membership {
  readonly #fleet: Fleet;
  readonly #monitor: HealthMonitor;
  readonly #gate: Gate;
  readonly #roster: ServerRoster;
  readonly #listener: MembershipListener;
  /** Ids of nodes that are being added and are not in force yet. */
  readonly #joining = new Set<string>();
  /** Ids of nodes that tell which server they have reached. */
  readonly #seated = new Set<string>();
  /** Open lazy changes: what ends each one, by the epoch that it made. */
  readonly #open = new Map<number, () => void>();
  /** Aborted when no change may take force any more. */
  readonly #ended = new AbortController();
  /** Values copied back, by all changes together. */
  #filled = 0;

  /** @param gate  Entered by every change until it is in force. */
  constructor(
    fleet: Fleet,
    monitor: HealthMonitor,
    gate: Gate,
    settings: RosterSettings,
    listener: MembershipListener,
  ) {
    this.#roster = makeRoster(settings, (name, event) => fleet.emit(name, event), monitor);
    this.#fleet = fleet;
    this.#monitor = monitor;
    this.#gate = gate;
    this.#listener = listener;
  }

  /** Puts the nodes' backends in their places, without a change of the placement. */
  join(nodes: readonly ParsedNode[]): void {
    this.#roster.enter(nodes.map(({ node }) => node.id));
    for (const node of nodes) {
      const backend = this.#completed(node);
      this.#seat(node);
      this.#adopt(node.node.id, backend);
    }
  }

  addNode(input: CacheNode, options: ChangeOptions | undefined): Rebalance {
    return this.#start(options, async ({ signal }, apply) => {
      const joining = parseCacheNode('node', input);
      const { node } = joining;
      this.#expectFreeId(node.id);
      const backend = this.#completed(joining);
      this.#joining.add(node.id);
      try {
        this.#roster.enter([node.id]);
        this.#seat(joining);
        await untilAborted(this.#reach(backend, signal), this.#ended.signal);
        return apply({
          change: { kind: 'addNode', node: node.id, weight: node.weight },
          nextPlacement: (placement) => placement.withNode(node),
          adopt: () => this.#adopt(node.id, backend),
        });
      } catch (error) {
        this.#unseat(node.id);
        throw error;
      } finally {
        this.#joining.delete(node.id);
      }
    });
  }

  removeNode(id: string, options: ChangeOptions | undefined): Rebalance {
    const { replicationFactor } = this.#fleet.topology;
    const nextPlacement = (placement: Placement) => {
      const rest = placement.withoutNode(id);
      if (rest.nodes.length < replicationFactor && replicationFactor > 1) {
        const left = rest.nodes.length === 1 ? '1 node' : `${rest.nodes.length} nodes`;
        throw InvalidArgumentError.saying(
          'id',
          `cannot remove ${id}: ${left} would remain, replicationFactor is ${replicationFactor}. Add a replacement first.`,
          '',
        );
      }
      return rest;
    };
    return this.#start(options, async (_, apply) => apply({ change: { kind: 'removeNode', node: id }, nextPlacement }));
  }

  setWeight(id: string, weight: number, options: ChangeOptions | undefined): Rebalance {
    const nextPlacement = (placement: Placement) => placement.withWeight(id, weight);
    const change = { kind: 'setWeight', node: id, weight } as const;
    return this.#start(options, async (_, apply) => apply({ change, nextPlacement }));
  }

  setPlacement(
    given: Placement | ((current: Placement, replicationFactor: number) => Placement),
    options: ChangeOptions | undefined,
  ): Rebalance {
    const nextPlacement = (current: Placement) => {
      const next = expectPlacement(
        'placement',
        typeof given === 'function' ? given(current, this.#fleet.topology.replicationFactor) : given,
      );
      // Nodes come with their backends, by addNode, and leave by removeNode.
      expectSameMembers(next, current);
      return next;
    };
    return this.#start(options, async (_, apply) => apply({ change: { kind: 'setPlacement' }, nextPlacement }));
  }

  /** Told for every value that was copied to a node that had missed it. */
  noteFilled(): void {
    this.#filled++;
  }

  /** Ends every open change for good: one that is still under way rejects, and its node's backend stays its caller's. */
  endAll(): void {
    this.#ended.abort(new ClosedError('cache'));
    for (const end of [...this.#open.values()]) end();
  }

  /** @param make  Gets ready what the change needs, and applies it. */
  #start(
    options: ChangeOptions | undefined,
    make: (parsed: ParsedChange, apply: Apply) => Promise<AppliedChange>,
  ): Rebalance {
    let isCancelled = false;
    let end = () => {};
    const run = async (driver: RebalanceDriver) => {
      this.#gate.enter();
      try {
        const parsed = parseChange(options);
        parsed.signal?.throwIfAborted();
        await undefined; // Who made the call can listen for its events.
        const applied = await make(parsed, (prepared) => {
          parsed.signal?.throwIfAborted();
          return this.#apply(prepared, parsed.lazyForMs, driver);
        });
        end = applied.end;
        if (isCancelled) end();
        return applied.plan;
      } finally {
        this.#gate.leave();
      }
    };
    return new Rebalance(run, () => {
      isCancelled = true;
      end();
    });
  }

  /** Synchronous from reading the topology to replacing it, so that two changes at once cannot lose one of them. */
  #apply(
    { change, nextPlacement, adopt }: PreparedChange,
    lazyForMs: number | undefined,
    driver: RebalanceDriver,
  ): AppliedChange {
    this.#ended.signal.throwIfAborted();
    const fleet = this.#fleet;
    const before = fleet.topology;
    const placement = nextPlacement(before.placement);
    const plan = planRebalance(before.placement, placement, { replicationFactor: before.replicationFactor });
    adopt?.();
    const epoch = before.epoch + 1;
    const staysOpen = lazyForMs !== undefined && before.placement.nodes.length > 0;
    const opened = staysOpen ? [{ placement: before.placement, change: epoch }] : [];
    const formerPlacements = [...opened, ...before.formerPlacements];
    fleet.topology = { ...before, epoch, placement, formerPlacements };
    // A load or copy that began before must not store what was read by the old topology.
    fleet.guards.breakAll();
    fleet.forgetFilled();
    driver.report({ phase: 'switched', epoch, plan, filled: 0, remainingMs: staysOpen ? lazyForMs : 0 });
    this.#listener.changed(change, plan, epoch);
    const end = staysOpen ? this.#keepOpen(epoch, plan, lazyForMs, driver) : () => {};
    if (!staysOpen) {
      this.#dropStrangers();
      driver.report({ phase: 'done', epoch, plan, filled: 0, remainingMs: 0 });
    }
    return { plan, end };
  }

  #keepOpen(epoch: number, plan: RebalancePlan, lazyForMs: number, driver: RebalanceDriver): () => void {
    const { clock } = this.#fleet;
    const filledBefore = this.#filled;
    const endsMs = clock.nowMs() + lazyForMs;
    const filled = () => this.#filled - filledBefore;
    let cancelTimer = () => {};
    const end = () => {
      if (!this.#open.delete(epoch)) return;
      cancelTimer();
      const { topology } = this.#fleet;
      const formerPlacements = topology.formerPlacements.filter(({ change }) => change !== epoch);
      this.#fleet.topology = { ...topology, formerPlacements };
      if (formerPlacements.length === 0) this.#fleet.forgetFormers();
      this.#dropStrangers();
      driver.report({ phase: 'done', epoch, plan, filled: filled(), remainingMs: 0 });
      this.#listener.ended(epoch);
    };
    const tick = () => {
      const remainingMs = endsMs - clock.nowMs();
      if (remainingMs <= 0) return end();
      driver.report({ phase: 'filling', epoch, plan, filled: filled(), remainingMs });
      wait(remainingMs);
    };
    const wait = (remainingMs: number) => {
      const delayMs = Math.min(remainingMs, Math.max(1, lazyForMs / reportsPerChange));
      cancelTimer = clock.schedule(delayMs, tick, false);
    };
    this.#open.set(epoch, end);
    wait(lazyForMs);
    return end;
  }

  #completed({ node, backend }: ParsedNode): CompleteBackend {
    return completeBackend(backend, { clock: this.#fleet.clock, nodeName: node.id });
  }

  /** Names the node in its backend's errors; lets that tell which server it has reached, and hear whether another node has the same. */
  #seat({ node: { id }, backend }: ParsedNode): void {
    if ('nodeName' in backend) backend.nodeName = id;
    if (typeof backend.takeSeat !== 'function') return;
    backend.takeSeat(this.#roster.seatOf(id));
    this.#seated.add(id);
  }

  #unseat(id: string): void {
    this.#roster.leave(id);
    this.#seated.delete(id);
  }

  #adopt(id: string, backend: CompleteBackend): void {
    const observer = this.#monitor.watch(id, (timeoutMs) => backend.ping({ timeoutMs }));
    this.#fleet.add({ id, backend, observer });
  }

  /** Resolves when a node that is to join has answered: one that cannot would fail every key that it is to own. */
  async #reach(backend: CompleteBackend, signal: AbortSignal | undefined): Promise<void> {
    // Two ids on one server are found as both have told which server they reached.
    await this.#hearUnknown(signal);
    await backend.ping({ timeoutMs: this.#fleet.policy.timeoutMs, signal });
  }

  /** Asks the nodes that could tell their server and have not been heard of. What they answer, and whether, is health's concern. */
  async #hearUnknown(signal: AbortSignal | undefined): Promise<void> {
    const { health, policy } = this.#fleet;
    const unknown = this.#fleet
      .allMembers()
      .filter(({ id }) => this.#seated.has(id) && health.healthOf(id) === 'unknown');
    await Promise.allSettled(unknown.map(({ backend }) => backend.ping({ timeoutMs: policy.timeoutMs, signal })));
  }

  #expectFreeId(id: string): void {
    if (this.#joining.has(id)) {
      throw InvalidArgumentError.saying('node.id', `${id} is already being added. Wait for that call.`);
    }
    if (this.#fleet.member(id) === undefined) return;
    const leaving = !this.#fleet.topology.placement.nodes.some((node) => node.id === id);
    const expected = leaving ? 'an id that no lazy change still reads from' : 'an id that no other node has';
    throw new InvalidArgumentError('node.id', expected, id, true);
  }

  /** Lets go of the nodes that no placement needs any more, and closes their backends. */
  #dropStrangers(): void {
    const { placement, formerPlacements } = this.#fleet.topology;
    const needed = new Set(
      [placement, ...formerPlacements.map((former) => former.placement)].flatMap(({ nodes }) =>
        nodes.map(({ id }) => id),
      ),
    );
    for (const { id, backend } of this.#fleet.allMembers()) {
      if (needed.has(id)) continue;
      this.#fleet.remove(id);
      this.#unseat(id);
      this.#monitor.unwatch(id);
      this.#fleet.background(
        backend.close().catch((error) => this.#fleet.emit('backgroundError', { operation: 'close', node: id, error })),
      );
    }
  }
}

function parseChange(options: ChangeOptions | undefined): ParsedChange {
  const given = expectOptions('options', options === undefined ? {} : options, ['strategy', 'lazyForMs', 'signal']);
  const strategy = expectOneOf('options.strategy', given.strategy ?? 'lazy', ['lazy', 'none']);
  const lazyForMs = expectInteger('options.lazyForMs', given.lazyForMs ?? 60_000, 1);
  return {
    lazyForMs: strategy === 'lazy' ? lazyForMs : undefined,
    signal: expectSignal('options.signal', given.signal),
  };
}
