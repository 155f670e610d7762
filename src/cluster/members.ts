/** The nodes that serve: their backends and probes, and the seats from which these tell which server they have reached. */

import type { Backend, CompleteBackend } from '../backend/backend.ts';
import { completeBackend } from '../backend/complete-backend.ts';
import type { NodeGroup, NodeSeat } from '../backend/seat.ts';
import { InvalidArgumentError } from '../errors/index.ts';
import type { HealthMonitor } from '../health/monitor.ts';
import type { Member } from '../nodes/node.ts';
import { compareIds, type NodeId, type PlacementNode, takenId } from '../placement/node.ts';
import type { Fleet } from '../routing/fleet.ts';
import { memberIdsOf } from '../topology/topology.ts';

/** A node, and what serves it. */
export interface NodeEntry {
  readonly node: PlacementNode;
  /** What the application gave that no two nodes may share, and its field. Default: the backend. */
  readonly source?: { readonly field: 'backend' | 'client'; readonly of: object } | undefined;
  readonly backend: Backend;
  /** Called when the node is about to be asked whether it answers, in a change that adds it. */
  joining?(): void;
  /** Called when the node is in force. */
  joined?(member: Member): void;
  /** Called when the node does not join after all. The backend of a caller stays the caller's. */
  discard?(): void;
  /** Called when the node has left, before it is closed. */
  left?(): void;
  /** Closes the backend, and ends what is in flight after so many milliseconds. Default: as the backend does it. */
  close?(limitMs: number): Promise<void>;
}

interface Seated {
  readonly entry: NodeEntry;
  readonly seat: NodeSeat & { hasLeft: boolean };
}

const sourceOf = ({ source, backend }: NodeEntry) => source ?? ({ field: 'backend', of: backend } as const);

export class Members {
  readonly #fleet: Fleet;
  readonly #monitor: HealthMonitor;
  readonly #group: NodeGroup;
  /** By id, of the nodes in force and of the one that is joining. */
  readonly #seated = new Map<NodeId, Seated>();

  constructor(fleet: Fleet, monitor: HealthMonitor, group: NodeGroup) {
    this.#fleet = fleet;
    this.#monitor = monitor;
    this.#group = group;
  }

  /** Puts the nodes that a client begins with in their places. */
  join(entries: readonly NodeEntry[]): void {
    for (const entry of entries) this.adopt(this.completed(entry), entry);
    // Whoever has sat down first keeps a server: by their ids, every process decides alike.
    for (const entry of [...entries].sort((one, other) => compareIds(one.node.id, other.node.id))) this.#seat(entry);
  }

  /** @throws {InvalidArgumentError} The backend has not what one must have. */
  completed({ node, backend }: NodeEntry): CompleteBackend {
    return completeBackend(backend, { clock: this.#fleet.clock, nodeName: node.id });
  }

  /** @throws {InvalidArgumentError} */
  expectFree(entry: NodeEntry): void {
    const { id } = entry.node;
    if (this.#fleet.member(id) !== undefined) throw takenId('node.id', id);
    const { field, of } = sourceOf(entry);
    if (![...this.#seated.values()].some((other) => sourceOf(other.entry).of === of)) return;
    throw new InvalidArgumentError(`node.${field}`, `a ${field} that no other node has`, of);
  }

  /**
   * Resolves when a node that is to join has answered: one that cannot would fail every key that it is to own.
   * @throws  Its failure; the node has then left again.
   */
  async reach(backend: CompleteBackend, entry: NodeEntry, signal: AbortSignal | undefined): Promise<void> {
    entry.joining?.();
    this.#seat(entry);
    // Two ids on one server are found as both have told which server they reached.
    await this.#hearUnknown(signal);
    await backend.ping({ timeoutMs: this.#fleet.policy.timeoutMs, signal });
  }

  /** Puts a node in force. */
  adopt(backend: CompleteBackend, entry: NodeEntry): void {
    const { id } = entry.node;
    const observer = this.#monitor.watch(id, (timeoutMs) => backend.ping({ timeoutMs }));
    const member = { id, backend, observer };
    this.#fleet.add(member);
    entry.joined?.(member);
  }

  /** Undoes {@link reach}. */
  release(entry: NodeEntry): void {
    this.#unseat(entry.node.id);
    entry.discard?.();
  }

  /** Lets go of the nodes that no placement needs any more, and closes their backends. */
  removeUnreferenced(): void {
    const needed = memberIdsOf(this.#fleet.topology);
    for (const { id, backend } of this.#fleet.allMembers()) {
      if (needed.has(id)) continue;
      const { entry } = this.#seated.get(id)!;
      this.#fleet.remove(id);
      this.#unseat(id);
      this.#monitor.unwatch(id);
      entry.left?.();
      const closing = entry.close?.(this.#fleet.policy.timeoutMs) ?? backend.close();
      this.#fleet.background(closing.catch((error) => this.#emitError(id, error)));
    }
  }

  /**
   * Closes all nodes, and waits no longer for them than there is time.
   * @param within  Waits for work as long as there is time; resolves to whether it has settled.
   * @throws  What the first backend in order failed with, in time. What fails after that is emitted.
   */
  async close(closeByMs: number, within: (work: Promise<unknown>) => Promise<boolean>): Promise<void> {
    const leftMs = Math.max(0, closeByMs - this.#fleet.clock.nowMs());
    const members = this.#fleet.allMembers();
    const closings = Promise.allSettled(
      members.map(({ id, backend }) => this.#seated.get(id)?.entry.close?.(leftMs) ?? backend.close()),
    );
    const failures = closings.then((outcomes) =>
      outcomes.flatMap((outcome, index) =>
        outcome.status === 'rejected' ? [{ node: members[index]!.id, error: outcome.reason as unknown }] : [],
      ),
    );
    if (await within(closings)) {
      for (const { error } of await failures) throw error;
    } else {
      void failures.then((late) => {
        for (const { node, error } of late) this.#emitError(node, error);
      });
    }
  }

  #emitError(node: NodeId, error: unknown): void {
    this.#fleet.emit('backgroundError', { operation: 'close', node, error });
  }

  /** Names the node in its backend's errors; lets that tell which server it has reached, and hear whether another node has the same. */
  #seat(entry: NodeEntry): void {
    const { node, backend } = entry;
    const seat = { node: node.id, group: this.#group, hasLeft: false };
    this.#seated.set(node.id, { entry, seat });
    if ('nodeName' in backend) Reflect.set(backend, 'nodeName', node.id); // It may be for reading only.
    backend.takeSeat?.(seat);
  }

  #unseat(id: NodeId): void {
    this.#seated.get(id)!.seat.hasLeft = true;
    this.#seated.delete(id);
  }

  /** Asks the nodes that could tell their server and have not been heard of. What they answer, and whether, is health's concern. */
  async #hearUnknown(signal: AbortSignal | undefined): Promise<void> {
    const { health, policy } = this.#fleet;
    const unknown = this.#fleet
      .allMembers()
      .filter(
        ({ id }) => this.#seated.get(id)?.entry.backend.takeSeat !== undefined && health.healthOf(id) === 'unknown',
      );
    await Promise.allSettled(unknown.map(({ backend }) => backend.ping({ timeoutMs: policy.timeoutMs, signal })));
  }
}
