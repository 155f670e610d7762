/**
 * Changing which nodes there are, what they weigh and how keys are placed, in this process. The data itself is not moved here.
 *
 *   waiting    another change is under way
 *   preparing  what the change needs is made ready: a node that joins has to answer
 *   filling    in force, in a joint phase: what a new owner misses is looked for at the previous one
 *   draining   stable again; writes that began in the joint phase are still in flight
 *   done       the next change may begin
 *
 * With the strategy 'none' a change is done as soon as it is in force.
 */

import { ClosedError, InvalidArgumentError } from '../errors/index.ts';
import type { Placement } from '../placement/placement.ts';
import { planRebalance, type RebalancePlan } from '../rebalance/plan.ts';
import type { Fleet } from '../routing/fleet.ts';
import type { Transition } from '../routing/transition.ts';
import { untilAborted } from '../runtime/abort.ts';
import type { Gate } from '../runtime/gate.ts';
import { holdProcess } from '../runtime/hold.ts';
import { expectString } from '../runtime/validate.ts';
import { changed, type Topology } from '../topology/topology.ts';
import { type ChangeOptions, type ParsedChangeOptions, parseChangeOptions, type Strategy } from './change-options.ts';
import { type EmitClusterEvent, nameOfChange, type TopologyChange } from './events.ts';
import type { Members, NodeEntry } from './members.ts';
import { expectSameMembers, placementMadeBy } from './parse-placement.ts';
import { Rebalance, type RebalanceDriver } from './rebalance.ts';
import { Turns } from './turns.ts';

/** Given as it is, or made of the one in force and the length of the lists that will be asked for most. */
export type NextPlacement = Placement | ((current: Placement, replicationFactor: number) => Placement);

/** How often a lazy change reports its progress within its time. */
const reportsPerChange = 20;

/** A change, to be made to whatever placement is in force when its turn has come. */
interface Proposal {
  readonly change: TopologyChange;
  /** @throws {InvalidArgumentError} The change cannot be made to this placement. */
  nextPlacement(placement: Placement): Placement;
  /** Gets ready what the change needs. */
  prepare?(signal: AbortSignal | undefined): Promise<void>;
  /** Called when the placement has been made, before it is in force. */
  adopt?(): void;
  /** Called if it does not take force. */
  undo?(): void;
}

/** A change in force: its plan, and what ends it. */
interface ChangeInForce {
  readonly plan: RebalancePlan;
  readonly end: () => void;
}

/** What goes by the topology besides calls: the subscriptions of a client. */
export interface TopologyFollower {
  /** A topology is about to be in force. Resolves when what it needs is ready, or has had its time; never rejects. */
  prepare(next: Topology): Promise<void>;
  /** This topology is in force; if nothing came of what was prepared, the one of before. */
  follow(topology: Topology): void;
}

export interface ChangesContext {
  readonly fleet: Fleet;
  readonly members: Members;
  /** Entered by every change whose turn has come, until it is in force. */
  readonly gate: Gate;
  readonly emit: EmitClusterEvent;
  /** What is closed, for errors: 'cache'. */
  readonly what: string;
  readonly strategies: readonly Strategy[];
  /** Nodes that must remain when one is removed. */
  readonly minNodes: number;
  readonly follower: TopologyFollower | undefined;
}

export class Changes {
  readonly #context: ChangesContext;
  readonly #turns = new Turns();
  /** Ends the lazy change that is under way. */
  #endCurrent = () => {};
  /** Aborted when no change may take force any more. */
  readonly #ended = new AbortController();
  /** Values put where they had been missed, by changes and read repair together. */
  #filled = 0;

  constructor(context: ChangesContext) {
    this.#context = context;
  }

  addNode(entry: () => NodeEntry, options: ChangeOptions | undefined): Rebalance {
    return this.#start(options, () => this.#joining(entry()));
  }

  removeNode(id: string, options: ChangeOptions | undefined): Rebalance {
    const { fleet, minNodes } = this.#context;
    const { replicationFactor } = fleet.topology;
    const nextPlacement = (placement: Placement) => {
      const rest = placement.withoutNode(id);
      const left = rest.nodes.length;
      if (left < minNodes || (left < replicationFactor && replicationFactor > 1)) {
        throw tooFewNodes(id, left, replicationFactor);
      }
      return rest;
    };
    return this.#start(options, () => ({
      change: { kind: 'removeNode', node: expectString('id', id) },
      nextPlacement,
    }));
  }

  setWeight(id: string, weight: number, options: ChangeOptions | undefined): Rebalance {
    const nextPlacement = (placement: Placement) => placement.withWeight(id, weight);
    return this.#start(options, () => ({
      change: { kind: 'setWeight', node: expectString('id', id), weight },
      nextPlacement,
    }));
  }

  setPlacement(given: NextPlacement, options: ChangeOptions | undefined): Rebalance {
    const { replicationFactor } = this.#context.fleet.topology;
    const nextPlacement = (current: Placement) => {
      const next = placementMadeBy(given, current, replicationFactor);
      // Nodes come with their backends, by addNode, and leave by removeNode.
      expectSameMembers(next, current);
      return next;
    };
    return this.#start(options, () => ({ change: { kind: 'setPlacement' }, nextPlacement }));
  }

  /** Called for every value that was copied to a node that had missed it. */
  noteFilled(): void {
    this.#filled++;
  }

  /** Ends all changes for good: one that waits, or is not in force yet, rejects. */
  endAll(): void {
    this.#ended.abort(new ClosedError(this.#context.what));
    this.#endCurrent();
  }

  #joining(entry: NodeEntry): Proposal {
    const { members } = this.#context;
    const { node } = entry;
    const backend = members.completed(entry);
    let hasSeat = false;
    return {
      change: { kind: 'addNode', node: node.id, weight: node.weight },
      nextPlacement: (placement) => placement.withNode(node),
      prepare: async (signal) => {
        members.expectFree(entry);
        hasSeat = true;
        await members.reach(backend, entry, signal);
      },
      adopt: () => members.adopt(backend, entry),
      undo: () => {
        if (hasSeat) members.release(entry);
        else entry.discard?.();
      },
    };
  }

  /** @param propose  Checks what the caller has given. */
  #start(options: ChangeOptions | undefined, propose: () => Proposal): Rebalance {
    let isCancelled = false;
    let end = () => {};
    const run = async (driver: RebalanceDriver) => {
      const parsed = parseChangeOptions(options, this.#context.strategies);
      parsed.signal?.throwIfAborted();
      const proposal = propose();
      const inForce = await this.#inTurn(proposal, parsed, () => this.#putInForce(proposal, parsed, driver));
      end = inForce.end;
      if (isCancelled) end();
      return inForce.plan;
    };
    return new Rebalance(run, () => {
      isCancelled = true;
      end();
    });
  }

  /** Does the work when its turn has come. Closing waits for one whose turn has come, and ends one that waits. */
  async #inTurn(
    { change, undo }: Proposal,
    { onBusy, signal }: ParsedChangeOptions,
    work: () => Promise<ChangeInForce>,
  ): Promise<ChangeInForce> {
    const { gate } = this.#context;
    const name = nameOfChange(change);
    let hasTurn = this.#turns.tryTake(name);
    try {
      if (!hasTurn) {
        if (onBusy === 'reject') this.#turns.refuse(name);
        await this.#turns.wait(name, [signal, this.#ended.signal]);
        hasTurn = true;
      }
      gate.enter();
      const letGo = holdProcess(); // Whoever awaits the change waits for its node too.
      try {
        await undefined; // Who made the call can listen for its events.
        return await work();
      } finally {
        letGo();
        gate.leave();
      }
    } catch (error) {
      undo?.();
      if (hasTurn) this.#turns.pass();
      throw error;
    }
  }

  async #putInForce(
    proposal: Proposal,
    { lazyForMs, signal }: ParsedChangeOptions,
    driver: RebalanceDriver,
  ): Promise<ChangeInForce> {
    const { fleet, follower } = this.#context;
    const { signal: ended } = this.#ended;
    try {
      signal?.throwIfAborted();
      if (proposal.prepare !== undefined) await untilAborted(proposal.prepare(signal), ended);
      const placement = proposal.nextPlacement(fleet.topology.placement);
      const next = changed(fleet.topology, placement, lazyForMs === undefined ? 'none' : 'on demand');
      if (follower !== undefined) await untilAborted(untilAborted(follower.prepare(next), signal), ended);
      signal?.throwIfAborted();
      ended.throwIfAborted();
      return this.#switch(next, proposal, lazyForMs ?? 0, driver);
    } catch (error) {
      follower?.follow(fleet.topology);
      throw error;
    }
  }

  /** Synchronous, so that no call can find a node that is not there yet. */
  #switch(topology: Topology, { change, adopt }: Proposal, lazyForMs: number, driver: RebalanceDriver): ChangeInForce {
    const { fleet, members, follower, emit } = this.#context;
    const { placement: before, replicationFactor } = fleet.topology;
    const { epoch } = topology;
    const plan = planRebalance(before, topology.placement, { replicationFactor });
    adopt?.();
    const transition = fleet.switchTo(topology);
    follower?.follow(topology);
    const remainingMs = transition === undefined ? 0 : lazyForMs;
    driver.report({ phase: 'switched', epoch, plan, filled: 0, remainingMs });
    emit('rebalance', { epoch, change, plan });
    if (transition !== undefined) return { plan, end: this.#fill(transition, plan, lazyForMs, driver) };
    members.removeUnreferenced();
    driver.report({ phase: 'done', epoch, plan, filled: 0, remainingMs: 0 });
    this.#turns.pass();
    return { plan, end: () => {} };
  }

  /** Keeps the joint phase for its time. @returns  What ends it before. */
  #fill(transition: Transition, plan: RebalancePlan, lazyForMs: number, driver: RebalanceDriver): () => void {
    const { fleet } = this.#context;
    const { clock } = fleet;
    const { epoch } = fleet.topology;
    const filledBefore = this.#filled;
    const endsMs = clock.nowMs() + lazyForMs;
    const report = (phase: 'filling' | 'done', remainingMs: number) =>
      driver.report({ phase, epoch, plan, filled: this.#filled - filledBefore, remainingMs });
    let cancelTimer: (() => void) | undefined;
    const wait = (remainingMs: number) => {
      const delayMs = Math.min(remainingMs, Math.max(1, lazyForMs / reportsPerChange));
      cancelTimer = clock.schedule(delayMs, tick, false);
    };
    const tick = () => {
      const remainingMs = endsMs - clock.nowMs();
      if (remainingMs <= 0) return end();
      report('filling', remainingMs);
      wait(remainingMs);
    };
    const end = () => {
      if (cancelTimer === undefined) return;
      cancelTimer();
      cancelTimer = undefined;
      this.#endCurrent = () => {};
      const filled = transition.stopFilling();
      if (filled === undefined) fleet.settle();
      fleet.background(this.#finish(filled, transition, epoch, () => report('done', 0)));
    };
    wait(lazyForMs);
    this.#endCurrent = end;
    return end;
  }

  /** Waits for what is being brought over, and then for the writes of the joint phase; then nothing of it is left. */
  async #finish(
    filled: Promise<unknown> | undefined,
    transition: Transition,
    epoch: number,
    reportDone: () => void,
  ): Promise<void> {
    const { fleet, members, emit } = this.#context;
    if (filled !== undefined) {
      await filled;
      fleet.settle();
    }
    await transition.drained();
    members.removeUnreferenced();
    reportDone();
    emit('rebalanceDone', { epoch });
    this.#turns.pass();
  }
}

function tooFewNodes(id: string, left: number, replicationFactor: number): InvalidArgumentError {
  const remain = left === 0 ? 'no node' : left === 1 ? '1 node' : `${left} nodes`;
  const needed = replicationFactor > 1 ? `, replicationFactor is ${replicationFactor}` : '';
  const advice = `cannot remove ${id}: ${remain} would remain${needed}. Add a replacement first.`;
  return InvalidArgumentError.saying('id', advice, '');
}
