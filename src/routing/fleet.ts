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
import { type Route, routeOf } from '../topology/route.ts';
import { copiesOf, settled, type Topology } from '../topology/topology.ts';
import type { EmitRoutingEvent } from './events.ts';
import { KeyGuards } from './key-guards.ts';
import { attemptTimeoutMs, type ConsistencyLevel, readOrder, servingNodes, type WhenDown } from './query-plan.ts';
import { Transition } from './transition.ts';

/** A key's route, and which of its nodes are asked, given their health at this moment. */
export interface Places {
  readonly route: Route;
  /** Nodes that hold the key and are in service, in preference order; fallback nodes, which take the place of those that are down, come last. */
  readonly serving: readonly Member[];
  /** Holders that are down. */
  readonly down: readonly NodeId[];
  readonly fallbacks: readonly NodeId[];
  /** Nodes that may still have the key from before a change, whatever their health, except where it is known to be stale. */
  readonly previousOwners: readonly Member[];
  /** Of the joint phase of the route; undefined in a stable one. */
  readonly transition: Transition | undefined;
}

/** How calls behave, parsed and complete. */
export interface RoutingPolicy {
  readonly timeoutMs: number;
  readonly writeConsistency: ConsistencyLevel;
  readonly whenDown: WhenDown;
  /** Longest life of a value written to a fallback node, in milliseconds. */
  readonly spillTtlMs: number;
  readonly confirmMisses: boolean;
  readonly readRepair: boolean;
}

const none: readonly never[] = Object.freeze([]);

export class Fleet {
  readonly guards = new KeyGuards();
  readonly door: Door;
  readonly states: ServingStates;
  #topology: Topology;
  /** By the topology in force, where each key has one node. */
  readonly #routesByNode = new Map<NodeId, Route>();
  /** Of topologies in a joint phase. */
  readonly #transitions = new WeakMap<Topology, Transition>();

  readonly #members = new Map<NodeId, Member>();
  readonly #background = new Set<Promise<unknown>>();

  constructor(
    topology: Topology,
    readonly policy: RoutingPolicy,
    readonly health: HealthView,
    readonly clock: Clock,
    readonly emit: EmitRoutingEvent,
  ) {
    this.#topology = topology;
    this.door = new Door(clock);
    this.states = new ServingStates(health);
  }

  /** In force: every call that begins now finds its route by it. */
  get topology(): Topology {
    return this.#topology;
  }

  /**
   * Puts a change in force.
   * @returns  What becomes of single keys in its joint phase; undefined if it has none.
   */
  switchTo(topology: Topology): Transition | undefined {
    this.#topology = topology;
    this.#routesByNode.clear();
    // A load or copy that began before must not store what was read by the old topology.
    this.guards.breakAll();
    if (topology.phase.kind === 'stable') return undefined;
    const transition = new Transition();
    this.#transitions.set(topology, transition);
    return transition;
  }

  /** Ends the joint phase. */
  settle(): void {
    this.#topology = settled(this.#topology);
    this.#routesByNode.clear();
  }

  /**
   * Whether the nodes have changed since a call found its route by this topology. What came of it may be the route's fault
   * then, and the call finds its route anew. All calls notice it here.
   */
  isOvertaken(topology: Topology): boolean {
    return topology !== this.#topology;
  }

  add(member: Member): void {
    this.#members.set(member.id, member);
  }

  remove(id: NodeId): void {
    this.#members.delete(id);
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
   * The route's node where that is all there is to say: it is up, and no other node has the key. Undefined in all other cases.
   * This is what most calls need, and it costs far less than {@link placesOf}.
   */
  onlyHolderOf({ holders, previousOwners }: Route): Member | undefined {
    if (holders.length !== 1 || previousOwners.length > 0) return undefined;
    const { states } = this;
    const member = this.#members.get(holders[0]!);
    return member !== undefined && (states.allUp || states.stateOf(member.id) === 'up') ? member : undefined;
  }

  /** @throws {NoNodesError} There are no nodes. */
  routeOf(key: string): Route {
    const topology = this.#topology;
    if (topology.replicationFactor !== 1 || topology.phase.kind !== 'stable') return routeOf(topology, key);
    // All keys of a node share a route: finding one costs less than making one for each call.
    const primary = topology.placement.nodeFor(key);
    let route = this.#routesByNode.get(primary);
    if (route === undefined) {
      route = routeOf(topology, key);
      this.#routesByNode.set(primary, route);
    }
    return route;
  }

  /** @param key  One that has the route. */
  placesOf(key: string, route: Route): Places {
    const { states, policy } = this;
    const { topology, holders } = route;
    const transition = topology.phase.kind === 'stable' ? undefined : this.#transitions.get(topology);
    const previousOwners = this.#previousOwnersOf(key, route, transition);
    if (states.allUp) {
      return { route, serving: this.#toMembers(holders), down: none, fallbacks: none, previousOwners, transition };
    }
    const preference =
      policy.whenDown === 'spill' ? topology.placement.preferenceList(key, topology.placement.nodes.length) : holders;
    const { serving, down, fallbacks } = servingNodes(preference, copiesOf(topology), states, policy.whenDown);
    return {
      ...{ route, serving: this.#toMembers(serving), down, fallbacks, transition },
      previousOwners: previousOwners.filter(({ id }) => !serving.includes(id)),
    };
  }

  #previousOwnersOf(key: string, { previousOwners }: Route, transition: Transition | undefined): readonly Member[] {
    if (previousOwners.length === 0) return none;
    return this.#toMembers(previousOwners.filter((node) => transition?.isStale(node, key) !== true));
  }

  /** The members to read from, in the order to ask them; the first `places.serving.length` are holders. */
  readCandidates(places: Places): readonly Member[] {
    const { serving, previousOwners } = places;
    const { states } = this;
    if (states.allUp && previousOwners.length === 0) return serving;
    const ordered = readOrder(
      serving.map(({ id }) => id),
      states,
    );
    return [...this.#toMembers(ordered), ...previousOwners.filter(({ id }) => states.stateOf(id) !== 'down')];
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
   * there, when no caller waits for it any more.
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
  background(work: Promise<unknown>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }

  async drained(): Promise<void> {
    while (this.#background.size > 0) await Promise.allSettled(this.#background);
  }

  #toMembers(ids: readonly NodeId[]): readonly Member[] {
    if (ids.length === 0) return none;
    const members: Member[] = [];
    for (const id of ids) {
      const member = this.#members.get(id);
      if (member !== undefined) members.push(member); // Else it has left since the route was found.
    }
    return members;
  }
}
