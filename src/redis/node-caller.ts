/**
 * Sends commands to single nodes: over the connection that all callers share, or for those that wait over one of their own.
 *
 * Every command passes the door, once, whoever asked. A call of several steps has one deadline: every step is given the same
 * limits, and takes what the steps before it have left.
 */

import type { Redis } from 'ioredis';
import { ClosedError, NodesChangedError } from '../errors/index.ts';
import { isTimeout } from '../health/faults.ts';
import type { Observed } from '../nodes/attempt.ts';
import type { Effect, Operation } from '../nodes/operation.ts';
import type { NodeId } from '../placement/node.ts';
import type { Fleet } from '../routing/fleet.ts';
import {
  CallLimits,
  type Changes,
  type CommandArgument,
  type CommandSpec,
  mayReadReplica,
  type ReplyCheck,
  replyCheckOf,
  type ScannedServer,
  type UseTime,
} from '../server/index.ts';
import { waitAt } from './blocking.ts';
import { CommandObserver } from './command-observer.ts';
import { exists, hasFlag } from './commands/command-facts.ts';
import { blocking } from './commands/command-table.ts';
import type { RedisNode } from './node.ts';
import { asResp2 } from './resp3-to-resp2.ts';

/** A command as a node gets it, the prefix before its keys. */
export class NodeCommand implements CommandSpec<unknown>, Observed {
  /**
   * @param keys            As they are routed.
   * @param hasOneKeyFirst  Its only key is its first argument, so that reads of other keys may be put off past it.
   * @param decode          From the server's reply, strings as bytes. Default: as it came.
   * @param operation       The command of the caller, for messages, where this is a step of it. Default: this one.
   */
  constructor(
    readonly name: string,
    readonly args: readonly CommandArgument[],
    readonly isWrite: boolean,
    readonly keys: readonly string[] = noKeys,
    readonly hasOneKeyFirst = false,
    readonly decode: (reply: unknown) => unknown = asItCame,
    readonly operation: string = name,
  ) {}

  get effect(): Effect {
    return this.isWrite ? 'counts' : 'reads';
  }

  get check(): ReplyCheck | undefined {
    return replyCheckOf(this.name);
  }

  /** The same for a client that may speak RESP3. */
  forBorrowed(): NodeCommand {
    const { name, args, isWrite, keys, hasOneKeyFirst, decode, operation } = this;
    const decodeReply = (reply: unknown) => decode(asResp2(name, reply));
    return new NodeCommand(name, args, isWrite, keys, hasOneKeyFirst, decodeReply, operation);
  }

  /** Asked only where a group's replicas may be read. */
  get mayReadReplica(): boolean {
    const { name, isWrite } = this;
    return !isWrite && mayReadReplica(name, exists(name) && hasFlag(name, 'readonly'));
  }

  get changes(): Changes {
    return this.isWrite ? (this.hasOneKeyFirst ? 'first key' : 'anything') : 'nothing';
  }

  get coalesces(): boolean {
    return this.name === 'get' && this.args.length === 1;
  }

  /** Refusals by the server reach the caller as they are. */
  refusal(error: Error): Error {
    return error;
  }
}

const noKeys: readonly never[] = Object.freeze([]);
const asItCame = (reply: unknown) => reply;

/** A command without arguments that changes nothing, and that `operation` needs to have done. */
export const stepOf = (operation: string, name: string): NodeCommand =>
  new NodeCommand(name, [], false, noKeys, false, undefined, operation);

/** What is done on a connection of its own. */
class ConnectionUse<Reply> implements Operation<Reply, RedisNode, CallLimits> {
  constructor(
    readonly name: string,
    readonly keys: readonly string[],
    readonly effect: Effect,
    readonly use: () => Promise<Reply>,
  ) {}

  run(): Promise<Reply> {
    return this.use();
  }
}

export class NodeCaller {
  readonly #fleet: Fleet;
  readonly #nodes: ReadonlyMap<NodeId, RedisNode>;
  readonly #timeoutMs: number;

  constructor(fleet: Fleet, nodes: ReadonlyMap<NodeId, RedisNode>, timeoutMs: number) {
    this.#fleet = fleet;
    this.#nodes = nodes;
    this.#timeoutMs = timeoutMs;
  }

  get ids(): readonly NodeId[] {
    return [...this.#nodes.keys()];
  }

  /**
   * @param limits  Of the call that this is a step of. Default: it is all of it.
   * @throws {NodeUnavailableError} At once where the node is down.
   */
  call(id: NodeId, order: NodeCommand, limits?: CallLimits): Promise<unknown> {
    const node = this.inService(id, order.name);
    const { name, args, isWrite } = order;
    const wait = blocking(name, args);
    if (wait.blocks) {
      const command = { name, args, isWrite, maxWaitMs: wait.maxMs };
      const waited = this.watched(node, order, limits ?? this.limits(wait.maxMs), (time) =>
        waitAt(node, command, time),
      );
      return waited.then(order.decode);
    }
    const { door, clock } = this.#fleet;
    door.enter(node, order);
    const sent = node.server.isOwn ? order : order.forBorrowed();
    if (limits === undefined) return node.server.call(sent, args, this.limits(), node.calls);
    const step = new CommandObserver(door, node, clock.nowMs(), this.#excuseOf(limits));
    return node.server.call(sent, args, limits, step);
  }

  /**
   * Which failures of a step say nothing of its node: that it took longer than the earlier ones had left, if that was less than
   * half of the call's time.
   */
  #excuseOf({ deadlineMs, timeoutMs }: CallLimits): ((error: unknown) => boolean) | undefined {
    return deadlineMs - this.#fleet.clock.nowMs() >= timeoutMs / 2 ? undefined : isTimeout;
  }

  /**
   * WAIT and WAITAOF speak of the writes of their own connection. So the shared connection is heard first, which brings
   * all earlier commands to the server, and the waiting connection then makes a write of its own behind theirs: a message
   * on a channel without subscribers.
   */
  async waitForReplicas(id: NodeId, { name, args }: NodeCommand): Promise<unknown> {
    const wait = blocking(name, args);
    const maxWaitMs = wait.blocks ? wait.maxMs : 0;
    const limits = this.limits(maxWaitMs);
    await this.call(id, stepOf(name, 'ping'));
    const node = this.inService(id, name);
    const command = { name, args, isWrite: false, maxWaitMs };
    const publish = (client: Redis) => client.publish('shardring:wait', '');
    const order = new NodeCommand(name, args, false);
    return this.watched(node, order, limits, (time) => waitAt(node, command, time, publish));
  }

  /** Resolves when the node has executed what was sent to it before, for what goes over a connection of its own. */
  async afterEarlier(id: NodeId, operation: string, limits: CallLimits): Promise<void> {
    if (!this.inService(id, operation).server.isIdle) await this.call(id, stepOf(operation, 'ping'), limits);
  }

  /** @throws {NodesChangedError} It was removed since the caller chose it. */
  nodeAt(id: NodeId, command: string): RedisNode {
    return this.#nodes.get(id) ?? removed(id, command);
  }

  /** False once it was removed, also where another node has come under its id. */
  has(node: RedisNode): boolean {
    return this.#nodes.get(node.id) === node;
  }

  /** For a node's position in a scan; see `scan-position.ts`. */
  serverOf(node: RedisNode): ScannedServer {
    const { server } = node;
    const { door, clock } = this.#fleet;
    return {
      get connectionCount() {
        return server.connectionCount;
      },
      runId: (operation, limits) => {
        const ask = new ConnectionUse(operation, noKeys, 'reads', () => server.runId(operation, limits));
        return door.ask(node, ask, limits, clock.nowMs(), this.#excuseOf(limits));
      },
    };
  }

  /** Of a call that begins now. @param waitMs  For how long the server itself may wait, which counts beside. */
  limits(waitMs = 0): CallLimits {
    const timeoutMs = this.#timeoutMs + waitMs;
    return new CallLimits(timeoutMs, this.#fleet.clock.nowMs() + timeoutMs, undefined);
  }

  /**
   * Does what has a connection of its own. It has several steps, and stalls of this process in one after the other can use up
   * its time: that says nothing of the node.
   */
  watched<Reply>(
    node: RedisNode,
    { name, keys, effect }: Pick<NodeCommand, 'name' | 'keys' | 'effect'>,
    limits: CallLimits,
    use: (time: UseTime) => Promise<Reply>,
  ): Promise<Reply> {
    const { clock, door } = this.#fleet;
    const { timeoutMs, deadlineMs } = limits;
    const isShort = this.#excuseOf(limits) !== undefined;
    const isEndless = timeoutMs === Number.POSITIVE_INFINITY;
    const beganMs = isEndless ? clock.nowMs() : deadlineMs - timeoutMs;
    const time = { timeoutMs: isEndless ? undefined : timeoutMs, beganMs };
    const wasStalled = () => clock.loop !== undefined && clock.loop.longestStallMs(beganMs) > 0;
    const operation = new ConnectionUse(name, keys, effect, () => use(time));
    const isExcused = (error: unknown) => isTimeout(error) && (isShort || wasStalled());
    return this.whileInForce(node, name, door.ask(node, operation, limits, beganMs, isExcused));
  }

  /**
   * What is done on a connection of its own ends with the node: if that is removed, the client is not closed for it.
   * @throws {NodesChangedError} The node was removed meanwhile, and that has ended the work.
   */
  async whileInForce<Result>(node: RedisNode, command: string, work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (cause) {
      if (!(cause instanceof ClosedError) || this.has(node)) throw cause;
      const message = `node ${node.id} was removed while the call was made there. Make the call again.`;
      throw new NodesChangedError(command, message, { node: node.id, cause });
    }
  }

  /**
   * @throws {NodeUnavailableError} The node is down, so that asking it would only take time.
   * @throws {NodesChangedError} It was removed since the caller chose it.
   */
  inService(id: NodeId, command: string): RedisNode {
    const { states } = this.#fleet;
    if (!states.allUp && states.stateOf(id) === 'down') throw this.#fleet.downAttempts(command, [id])[0]!.error;
    return this.nodeAt(id, command);
  }

  /** A node for what all would answer alike: one that is not down, if there is one. */
  anyNode(): NodeId {
    const { ids } = this;
    return ids.find((id) => this.#fleet.health.stateOf(id) !== 'down') ?? ids[0]!;
  }
}

/** Nothing was sent. */
function removed(node: NodeId, command: string): never {
  throw new NodesChangedError(command, `node ${node} was removed before it was asked. Make the call again.`, { node });
}
