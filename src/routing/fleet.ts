/**
 * The nodes with their backends, their health, and the topology in force: from a key to the nodes to call.
 */

import type { CallOptions } from '../backend/backend.ts';
import { type NodeAttempt, TimeoutError } from '../errors/index.ts';
import { isSilence } from '../health/detector.ts';
import { downError } from '../health/down-error.ts';
import type { HealthView } from '../health/health-view.ts';
import { ServingStates } from '../health/serving-states.ts';
import { Door, type Outcome } from '../nodes/attempt.ts';
import type { Member } from '../nodes/node.ts';
import type { Operation } from '../nodes/operation.ts';
import type { NodeId } from '../placement/node.ts';
import type { Clock } from '../runtime/clock.ts';
import { hasTurnsLeft, ownEndMsOf, ownTimeLeftMs, stepTimeMs } from '../runtime/time-limit.ts';
import { copiesOf, formerHoldersOf, holdersOf, primaryOf, type Topology } from '../topology/topology.ts';
import type { EmitRoutingEvent } from './events.ts';
import { KeyGuards } from './key-guards.ts';
import { attemptTimeoutMs, type ConsistencyLevel, readOrder, servingNodes, type WhenDown } from './query-plan.ts';

/** Where a key lives at this moment. */
export interface Places {
  /** Nodes that hold the key and are in service, in preference order; stand-ins for those that are down come last. */
  readonly serving: readonly Member[];
  /** Holders that are down. */
  readonly down: readonly NodeId[];
  readonly standIns: readonly NodeId[];
  /** Nodes that may still hold the key from before a lazy change, whatever their health. */
  readonly formers: readonly Member[];
}

/** How calls behave, parsed and complete. */
export interface RoutingPolicy {
  readonly timeoutMs: number;
  readonly writeConsistency: ConsistencyLevel;
  readonly whenDown: WhenDown;
  /** Longest life of a value written to a stand-in, in milliseconds. */
  readonly spillTtlMs: number;
  readonly confirmMisses: boolean;
  readonly readRepair: boolean;
}

const none: readonly never[] = Object.freeze([]);

export class Fleet {
  readonly guards = new KeyGuards();
  readonly door: Door;
  readonly states: ServingStates;
  topology: Topology;

  readonly #members = new Map<NodeId, Member>();
  /** Keys whose value at a former holder is out of date, as it could not be told of a write. By node. */
  readonly #outdated = new Map<NodeId, Set<string>>();
  /** Keys that were given to all their holders since the last change, while a lazy change is open. */
  readonly #filled = new Set<string>();
  readonly #background = new Set<Promise<void>>();

  constructor(
    topology: Topology,
    readonly policy: RoutingPolicy,
    readonly health: HealthView,
    readonly clock: Clock,
    readonly emit: EmitRoutingEvent,
  ) {
    this.topology = topology;
    this.door = new Door(clock);
    this.states = new ServingStates(health);
  }

  add(member: Member): void {
    this.#members.set(member.id, member);
  }

  /** What was noted of the node says nothing of one that comes under its id later. */
  remove(id: NodeId): void {
    this.#members.delete(id);
    this.#outdated.delete(id);
  }

  member(id: NodeId): Member | undefined {
    return this.#members.get(id);
  }

  /** Whether it still serves, and no other node has come under its id. */
  has(member: Member): boolean {
    return this.#members.get(member.id) === member;
  }

  /** Every node with a backend: those of the placement and those that a lazy change still reads from. */
  allMembers(): Member[] {
    return [...this.#members.values()];
  }

  /**
   * The key's node where that is all there is to say about its places: it is up, no copies are kept, and no lazy change is
   * open. Undefined in all other cases. This is what most calls need, and it costs far less than {@link placesOf}.
   */
  onlyHolderOf(key: string): Member | undefined {
    const { topology, states } = this;
    if (topology.replicationFactor !== 1 || topology.formerPlacements.length > 0) return undefined;
    const member = this.#members.get(primaryOf(topology, key));
    return member !== undefined && (states.allUp || states.stateOf(member.id) === 'up') ? member : undefined;
  }

  /** @throws {NoNodesError} There are no nodes. */
  placesOf(key: string): Places {
    const { topology, states, policy } = this;
    if (states.allUp && topology.formerPlacements.length === 0) {
      return { serving: this.#toMembers(holdersOf(topology, key)), down: none, standIns: none, formers: none };
    }
    const spills = policy.whenDown === 'spill' && !states.allUp;
    const preference = spills
      ? topology.placement.preferenceList(key, topology.placement.nodes.length)
      : holdersOf(topology, key);
    const { serving, down, standIns } = servingNodes(preference, copiesOf(topology), states, policy.whenDown);
    return { serving: this.#toMembers(serving), down, standIns, formers: this.#formersOf(key, serving) };
  }

  /** The members to read from, in the order to ask them; the first `places.serving.length` are holders. */
  readCandidates(places: Places): readonly Member[] {
    const { serving, formers } = places;
    const { states } = this;
    if (states.allUp && formers.length === 0) return serving;
    const ordered = readOrder(
      serving.map(({ id }) => id),
      states,
    );
    return [...this.#toMembers(ordered), ...formers.filter(({ id }) => states.stateOf(id) !== 'down')];
  }

  /**
   * For the next step of a call: at least 1 ms, and the whole timeout where there is no deadline yet.
   *
   * @param triesLeft  What is left is shared among so many steps, this one included.
   */
  stepLimits(deadlineMs: number | undefined, signal: AbortSignal | undefined, triesLeft = 1): CallOptions {
    const { clock, policy } = this;
    if (deadlineMs === undefined) return { signal, timeoutMs: policy.timeoutMs };
    const leftMs = stepTimeMs(clock, deadlineMs, policy.timeoutMs);
    const timeoutMs = triesLeft === 1 ? leftMs : attemptTimeoutMs(leftMs, triesLeft);
    const ownMs = ownTimeLeftMs(clock, deadlineMs, policy.timeoutMs);
    return ownMs === undefined || ownMs <= timeoutMs
      ? { signal, timeoutMs }
      : { signal, timeoutMs, progressTimeoutMs: ownMs };
  }

  /** Whether a call with this deadline may begin another step: stalls have brought it here late, and do not count. */
  isInTime(deadlineMs: number): boolean {
    const { clock, policy } = this;
    const nowMs = clock.nowMs();
    return deadlineMs > nowMs || ownEndMsOf(clock, deadlineMs - policy.timeoutMs, deadlineMs) > nowMs;
  }

  /**
   * Why the other nodes of a read cannot be asked any more, once one has failed; none where they can. In a process whose turns
   * are long, what the next one says would come too late.
   */
  tooLateFor(others: readonly Member[], operation: string, error: unknown, deadlineMs: number): NodeAttempt[] {
    const { clock, policy } = this;
    if (!isSilence(error) || hasTurnsLeft(clock, deadlineMs - policy.timeoutMs, deadlineMs, 2)) return [];
    const reason = 'no time was left to ask it';
    return others.map(({ id }) => ({
      node: id,
      elapsedMs: 0,
      error: new TimeoutError(id, operation, policy.timeoutMs, { reason }),
    }));
  }

  /** From now on the former holder is not asked for the key: it could not be told of a write, or is down. */
  outdate(former: Member, key: string): void {
    if (!this.has(former)) return;
    const { id } = former;
    const keys = this.#outdated.get(id);
    if (keys === undefined) this.#outdated.set(id, new Set([key]));
    else keys.add(key);
  }

  /** Whether what a former holder has under `key` is known to be out of date, or the node is gone altogether. */
  isOutdated(node: NodeId, key: string): boolean {
    return !this.#members.has(node) || this.#outdated.get(node)?.has(key) === true;
  }

  /** True the first time it is called for a key since the last change of the placement. */
  isFirstFill(key: string): boolean {
    if (this.#filled.has(key)) return false;
    this.#filled.add(key);
    return true;
  }

  /** Called at each change of the placement: holders may lack keys anew. */
  forgetFilled(): void {
    this.#filled.clear();
  }

  /** Called when no lazy change is open any more, so that nobody is asked as a former holder. */
  forgetFormers(): void {
    this.#outdated.clear();
    this.#filled.clear();
  }

  /** Why the holders that are down were not tried: what first said what is wrong with them. */
  downAttempts(operation: string, down: readonly NodeId[]): NodeAttempt[] {
    return down.map((node) => ({
      node,
      elapsedMs: 0,
      error: downError(node, operation, this.health.reportOf(node)),
    }));
  }

  /**
   * Asks a node, and gives it up once its probes go unanswered: for a read that has another node to ask. The call goes on
   * there, where nobody waits for it any more.
   */
  attemptWhileAnswering<Reply>(
    member: Member,
    operation: Operation<Reply>,
    limits: CallOptions,
  ): Promise<Outcome<Reply>> {
    const beganMs = this.clock.nowMs();
    return new Promise((resolve) => {
      const stop = this.health.onUnanswered(member.id, () => {
        const { error } = this.downAttempts(operation.name, [member.id])[0]!;
        resolve({ failed: { node: member.id, elapsedMs: this.clock.nowMs() - beganMs, error } });
      });
      void this.door.attempt(member, operation, limits).then((outcome) => {
        stop();
        resolve(outcome);
      });
    });
  }

  /** Adds to `attempts`, once per node, that the nodes were not tried because they are down. */
  noteDown(operation: string, down: readonly NodeId[], attempts: NodeAttempt[]): void {
    const fresh = down.filter((id) => !attempts.some(({ node }) => node === id));
    attempts.push(...this.downAttempts(operation, fresh));
  }

  /** Lets work go on after the call that began it has answered; {@link Fleet.drained} waits for it. */
  background(work: Promise<void>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }

  async drained(): Promise<void> {
    while (this.#background.size > 0) await Promise.allSettled(this.#background);
  }

  #toMembers(ids: readonly NodeId[]): Member[] {
    const members = new Array<Member>(ids.length);
    for (let index = 0; index < ids.length; index++) members[index] = this.#members.get(ids[index]!)!;
    return members;
  }

  #formersOf(key: string, serving: readonly NodeId[]): readonly Member[] {
    if (this.topology.formerPlacements.length === 0) return none;
    const formers = formerHoldersOf(this.topology, key);
    return this.#toMembers(formers.filter((node) => !serving.includes(node) && !this.isOutdated(node, key)));
  }
}
