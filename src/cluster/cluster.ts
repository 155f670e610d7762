/**
 * What both faces stand on: the nodes and their health, the topology in force and its changes, and closing.
 *
 * A face has one, and says how its nodes are made, what happens before and after, and who hears of events.
 */

import type { NodeGroup } from '../backend/seat.ts';
import { NoNodesError } from '../errors/index.ts';
import type { NodeHealth, NodeReport, NodeTraffic } from '../health/health-view.ts';
import { HealthMonitor } from '../health/monitor.ts';
import { type ReadyOptions, untilReady } from '../health/readiness.ts';
import type { EmitRoutingEvent } from '../routing/events.ts';
import { Fleet, type RoutingPolicy } from '../routing/fleet.ts';
import { Gate } from '../runtime/gate.ts';
import { settledWithin } from '../runtime/time-limit.ts';
import { firstTopology, type Topology } from '../topology/topology.ts';
import type { Strategy } from './change-options.ts';
import { Changes, type TopologyFollower } from './changes.ts';
import type { EmitClusterEvent } from './events.ts';
import { Members, type NodeEntry } from './members.ts';
import type { ParsedRoutingOptions } from './options.ts';

export interface ClusterOptions extends ParsedRoutingOptions {
  readonly policy: RoutingPolicy;
  /** The face, in errors: 'cache', 'client'. */
  readonly what: string;
  /** What its changes can do, the default first. */
  readonly strategies: readonly Strategy[];
  readonly emit: EmitClusterEvent;
  /** Nodes that must remain when one is removed. Default 0; with copies as many as there are of them. */
  readonly minNodes?: number;
  readonly follower?: TopologyFollower;
}

/** What a face has to do while it is closed. */
export interface Closing {
  /** No call can begin any more, and those in flight have ended or have had their time. */
  onQuiet?(): void;
  /** What goes on in the background has ended, or has had its time; the nodes are closed next. */
  onDrained?(): void;
}

export class Cluster {
  /** Every call of the face may pass it; changes do. Closing waits for who is inside. */
  readonly gate: Gate;
  readonly fleet: Fleet;
  readonly monitor: HealthMonitor;
  readonly changes: Changes;
  readonly #options: ClusterOptions;
  readonly #members: Members;

  constructor(options: ClusterOptions) {
    const { placement, replicationFactor, policy, clock, emit, what, strategies, minNodes = 0, follower } = options;
    this.#options = options;
    this.gate = new Gate(what);
    this.monitor = new HealthMonitor({
      clock,
      ...options.health,
      patienceMs: policy.timeoutMs,
      onChange: (node, state, error) => {
        if (state === 'up') emit('nodeUp', { node });
        else emit(state === 'down' ? 'nodeDown' : 'nodeSuspect', { node, error });
      },
    });
    const topology = firstTopology(placement, replicationFactor);
    const emitOfRouting = emit as EmitRoutingEvent;
    this.fleet = new Fleet(topology, policy, this.monitor, clock, (name, event) => {
      if (name === 'repaired') this.changes.noteFilled();
      emitOfRouting(name, event);
    });
    this.#members = new Members(this.fleet, this.monitor, {
      replicationFactor,
      allowSharedServers: options.allowSharedServers,
      reportFailure: (node, error) => this.monitor.reportFailure(node, error),
      emit: (name, event) => queueMicrotask(() => (emit as NodeGroup['emit'])(name, event)),
    });
    const { fleet, gate } = this;
    this.changes = new Changes({ fleet, members: this.#members, gate, emit, what, strategies, minNodes, follower });
  }

  /** Puts the nodes that the face begins with in their places. */
  join(entries: readonly NodeEntry[]): void {
    this.#members.join(entries);
  }

  /** In force: an immutable value, replaced by each change. */
  get topology(): Topology {
    return this.fleet.topology;
  }

  /** Of each node. Begins to probe them. */
  health(): Map<string, NodeHealth> {
    this.monitor.start();
    return this.healthOfAll();
  }

  /** The same, of those who ask nobody. */
  healthOfAll(): Map<string, NodeHealth> {
    return new Map(this.fleet.allMembers().map(({ id }) => [id, this.monitor.healthOf(id)]));
  }

  healthReport(): Map<string, NodeReport & Partial<NodeTraffic>> {
    this.monitor.start();
    const { monitor } = this;
    return new Map(
      this.fleet.allMembers().map(({ id }) => [id, { ...monitor.reportOf(id), ...monitor.trafficOf(id) }]),
    );
  }

  /** @throws {NotReadyError} Too few nodes were up in time. @throws {NoNodesError} There are none. */
  async ready(options: ReadyOptions | undefined): Promise<void> {
    const { clock, policy, what } = this.#options;
    const nodes = () => this.topology.placement.nodes.map(({ id }) => id);
    if (nodes().length === 0) throw new NoNodesError();
    await untilReady({ monitor: this.monitor, clock, timeoutMs: policy.timeoutMs, what, nodes }, options);
  }

  /** For logs: the nodes with their states, and no key, value, address or password. */
  get state(): object {
    const { epoch, placement, replicationFactor } = this.topology;
    return { epoch, placement: placement.checksum, replicationFactor, nodes: this.healthOfAll() };
  }

  /** Refuses calls, waits for those in flight, ends what is left, and closes the nodes, all within the time of one call. */
  async close({ onQuiet, onDrained }: Closing): Promise<void> {
    const { clock, policy } = this.#options;
    const closeByMs = clock.nowMs() + policy.timeoutMs;
    const within = (work: Promise<unknown>) => settledWithin(clock, Math.max(0, closeByMs - clock.nowMs()), work);
    await within(this.gate.close());
    onQuiet?.();
    this.monitor.stop();
    this.changes.endAll();
    await within(this.fleet.drained());
    onDrained?.();
    // A call that has taken longer than the rest ends with its backend.
    await this.#members.close(closeByMs, within);
  }
}
