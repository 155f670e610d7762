/**
 * From a command to the nodes that execute it, and from their replies to one.
 *
 * What a command may do on several nodes is decided by `command-table.ts`; how keys with several copies are read and
 * written, by `copies.ts` and `replication/`.
 */

import { CommandRefusedError } from '../errors/index.ts';
import type { NodeId } from '../placement/node.ts';
import { hashesTags } from '../placement/placement.ts';
import type { Fleet } from '../routing/fleet.ts';
import type { Random } from '../runtime/random.ts';
import type { CallLimits, CommandArgument } from '../server/index.ts';
import { copiesOf, primaryOf, type Topology } from '../topology/topology.ts';
import { waitsForOwnWrites } from './commands/command-blocking.ts';
import { exists, hasFlag } from './commands/command-facts.ts';
import {
  blocking,
  type Distribution,
  distributionOf,
  isForItsKeys,
  isReadOnly,
  keysOf,
} from './commands/command-table.ts';
import { areTogether, expectTogether, groupKeys } from './commands/key-groups.ts';
import { argumentsOf, type MergeReplies, pickBySize } from './commands/merge.ts';
import { type Ask, readCopies, writeCopies, writeFirst } from './copies.ts';
import { type Invocation, withKeyPrefix } from './invocation.ts';
import { type NodeCaller, NodeCommand, stepOf } from './node-caller.ts';
import type { OnQueued, PipelineResults } from './pipeline.ts';
import { type PlainCommand, type Replication, replicationOf } from './replication/effects.ts';
import { type TransactionCommand, transactAt } from './transaction.ts';

export interface DispatchOptions {
  readonly keyPrefix: string;
  /** With copies: whether EVAL and the like may run at each holder. */
  readonly scripts: 'refuse' | 'deterministic';
  readonly random: Random;
}

export class Dispatcher {
  readonly fleet: Fleet;
  readonly #caller: NodeCaller;
  readonly #options: DispatchOptions;

  constructor(fleet: Fleet, caller: NodeCaller, options: DispatchOptions) {
    this.fleet = fleet;
    this.#caller = caller;
    this.#options = options;
  }

  get #topology(): Topology {
    return this.fleet.topology;
  }

  /**
   * Executes a command wherever it belongs.
   * @param isRead  The caller knows that it writes nothing, as of a script that is declared so.
   * @throws {ShardringError}  Also at once, before anything is sent.
   */
  run(invocation: Invocation, isRead?: boolean): Promise<unknown> {
    const { name, args, keys } = invocation;
    if (keys.length === 1 && isForItsKeys(name)) return this.#together(invocation, isRead ?? isReadOnly(name, args));
    const distribution = this.#distributionOf(name, args);
    switch (distribution.kind) {
      case 'refused':
        throw new CommandRefusedError(name, distribution.reason);
      case 'oneNode':
        expectTogether(this.#topology, name, keys);
        return this.#together(invocation, isRead ?? isReadOnly(name, args));
      case 'split':
        if (areTogether(this.#topology, keys)) return this.#together(invocation, isReadOnly(name, args));
        return this.#split(invocation, distribution);
      case 'everywhere':
        return this.#everywhere(invocation, distribution.merge);
      case 'anyNode':
        return this.#caller.call(this.#caller.anyNode(), orderOf(invocation));
      case 'channel':
        return this.#caller.call(primaryOf(this.#topology, invocation.channel), orderOf(invocation));
      case 'randomNode':
        return this.#untilDone(this.#atRandomNode(invocation));
    }
  }

  /** With one node there is nothing to choose. */
  get #isAlone(): boolean {
    return this.#topology.placement.nodes.length === 1;
  }

  #distributionOf(name: string, args: readonly CommandArgument[]): Distribution {
    const distribution = distributionOf(name, args, copiesOf(this.#topology), hashesTags(this.#topology.placement));
    if (distribution.kind !== 'refused' || !distribution.mayBeAlone || !this.#isAlone) return distribution;
    return { kind: keysOf(name, args).length > 0 ? 'oneNode' : 'anyNode' };
  }

  /** A command all of whose keys have the same holders. */
  #together(invocation: Invocation, isRead: boolean): Promise<unknown> {
    const { name, keys, keyIndexes } = invocation;
    const args = withKeyPrefix(this.#options.keyPrefix, invocation);
    const hasOneKeyFirst = keyIndexes.length === 1 && keyIndexes[0] === 0;
    if (copiesOf(this.#topology) > 1) {
      return this.#atCopies(keys[0]!, new NodeCommand(name, args, !isRead, hasOneKeyFirst)).then(invocation.decode);
    }
    const order = new NodeCommand(name, args, !isRead, hasOneKeyFirst, invocation.decode);
    return this.#caller.call(primaryOf(this.#topology, keys[0]!), order);
  }

  /** The raw reply of the holders of `key`. */
  #atHolders(key: string, order: NodeCommand): Promise<unknown> {
    return copiesOf(this.#topology) > 1
      ? this.#atCopies(key, order)
      : this.#caller.call(primaryOf(this.#topology, key), order);
  }

  /**
   * Reads one key in several steps, at the node that has it or, with copies, at a holder that answers.
   * @param ask        All of it at one node, within these limits. @param storedKey  With the prefix.
   * @param preferred  Asked first, if it holds the key and is in service.
   */
  async readKey<Reply>(
    invocation: Invocation,
    ask: (node: NodeId, storedKey: CommandArgument, limits: CallLimits) => Promise<Reply>,
    preferred?: NodeId,
  ): Promise<Reply> {
    const { name, keys } = invocation;
    const key = keys[0]!;
    const storedKey = withKeyPrefix(this.#options.keyPrefix, invocation)[0]!;
    if (copiesOf(this.#topology) === 1) return ask(primaryOf(this.#topology, key), storedKey, this.#caller.limits());
    const askAt: Ask = (node, limits) => ask(node, storedKey, limits);
    return readCopies(this.fleet, name, key, askAt, { preferred }) as Promise<Reply>;
  }

  async #atCopies(key: string, order: NodeCommand): Promise<unknown> {
    const { name, args, isWrite } = order;
    const ask =
      (asked: NodeCommand): Ask =>
      async (node, limits) =>
        this.#caller.call(node, asked, limits);
    const wait = blocking(name, args);
    const waitMs = wait.blocks ? wait.maxMs : 0;
    if (!isWrite) return readCopies(this.fleet, name, key, ask(order), { waitMs });
    const replication = this.#replicationOf(name, args);
    switch (replication.kind) {
      case 'refused':
        throw new CommandRefusedError(name, replication.reason);
      case 'changesNothing':
        return readCopies(this.fleet, name, key, ask(order));
      case 'fanOut':
        return writeCopies(this.fleet, name, key, ask(rewritten(order, replication)));
      case 'effects': {
        const follow = (reply: unknown, node: NodeId, limits: CallLimits) =>
          this.#untilDone(this.#follow(replication.effectsOf(reply), node, limits));
        const written = writeFirst(this.fleet, name, key, ask(rewritten(order, replication)), waitMs, follow);
        return wait.blocks ? written : this.#untilDone(written);
      }
    }
  }

  async #follow(effects: readonly PlainCommand[], node: NodeId, limits: CallLimits): Promise<void> {
    for (const { name, args } of effects) await this.#caller.call(node, new NodeCommand(name, args, true), limits);
  }

  /** Closing waits for what has more steps than one: what the first holder has done is to reach the others. */
  #untilDone<Result>(work: Promise<Result>): Promise<Result> {
    const settled = () => undefined;
    this.fleet.background(work.then(settled, settled));
    return work;
  }

  #replicationOf(name: string, args: readonly CommandArgument[]): Replication {
    const isAllowed = this.#options.scripts === 'deterministic' && exists(name) && hasFlag(name, 'script_runner');
    return isAllowed ? { kind: 'fanOut' } : replicationOf(name, args, this.fleet.clock.wallMs());
  }

  /** One command for each group of keys with the same holders. */
  async #split(invocation: Invocation, { width, merge }: Extract<Distribution, { kind: 'split' }>): Promise<unknown> {
    const { name, keys } = invocation;
    const args = withKeyPrefix(this.#options.keyPrefix, invocation);
    const isWrite = !isReadOnly(name, args);
    const parts = groupKeys(this.#topology, keys).map(async (entries) => {
      const order = new NodeCommand(name, argumentsOf(args, width, entries), isWrite);
      return { entries, reply: await this.#atHolders(keys[entries[0]!]!, order) };
    });
    return invocation.decode(merge(await Promise.all(parts), keys.length));
  }

  /** The command at every node; fails if one does. */
  async #everywhere(invocation: Invocation, merge: MergeReplies): Promise<unknown> {
    const { name, args } = invocation;
    const order = new NodeCommand(name, args, !isReadOnly(name, args));
    const replies = this.#caller.ids.map(async (id) =>
      waitsForOwnWrites(name) ? this.#caller.waitForReplicas(id, order) : this.#caller.call(id, order),
    );
    return invocation.decode(merge(await Promise.all(replies)));
  }

  /** RANDOMKEY at a node that is drawn by its number of keys, so that every key is equally likely. */
  async #atRandomNode(invocation: Invocation): Promise<unknown> {
    const { ids } = this.#caller;
    const limits = this.#caller.limits();
    const dbsize = stepOf(invocation.name, 'dbsize');
    const sizes = await Promise.all(ids.map(async (id) => Number(await this.#caller.call(id, dbsize, limits))));
    return this.#caller.call(ids[pickBySize(sizes, this.#options.random()) ?? 0]!, orderOf(invocation), limits);
  }

  /** Commands as one transaction, on the one node that holds all keys, or on each of their holders. */
  async transact(invocations: readonly Invocation[], onQueued: OnQueued): Promise<PipelineResults | null> {
    if (invocations.length === 0) return [];
    const keys = invocations.flatMap((invocation) => invocation.keys);
    for (const { name, args } of invocations) {
      const distribution = this.#distributionOf(name, args);
      if (distribution.kind === 'refused') throw new CommandRefusedError(name, distribution.reason);
      if (!this.#isAlone && (distribution.kind === 'everywhere' || distribution.kind === 'randomNode')) {
        throw new CommandRefusedError(name, 'within a transaction it would ask one node; call it outside');
      }
    }
    if (keys.length === 0 && !this.#isAlone) {
      throw new CommandRefusedError('multi', 'it has no key, and so no node; see withConnection');
    }
    expectTogether(this.#topology, 'multi', keys);
    const commands = invocations.map((invocation) => this.#replicable(invocation));
    const at = async (id: NodeId, limits: CallLimits) => {
      const node = this.#caller.inService(id, 'multi');
      await this.#caller.afterEarlier(id, 'multi', limits);
      return this.#caller.watched(node, limits, (time) => transactAt(node, commands, time, onQueued));
    };
    if (copiesOf(this.#topology) === 1) {
      return this.#untilDone(at(primaryOf(this.#topology, keys[0] ?? ''), this.#caller.limits()));
    }
    return (await this.#untilDone(writeCopies(this.fleet, 'multi', keys[0]!, at))) as PipelineResults | null;
  }

  /** A command of a transaction, as every holder can execute it. */
  #replicable(invocation: Invocation): TransactionCommand {
    const { name, encoding } = invocation;
    const args = withKeyPrefix(this.#options.keyPrefix, invocation);
    if (copiesOf(this.#topology) === 1 || isReadOnly(name, args)) return { name, args, encoding };
    const replication = this.#replicationOf(name, args);
    const canFanOut = replication.kind === 'fanOut' || (replication.kind === 'effects' && replication.mayFanOut);
    if (replication.kind === 'changesNothing') return { name, args, encoding };
    if (canFanOut) return { name: replication.name ?? name, args: replication.args ?? args, encoding };
    throw new CommandRefusedError(name, 'within a transaction its copies could not be kept equal; call it outside');
  }
}

/** Keyless commands have nothing that a prefix could stand before. */
function orderOf({ name, args, decode }: Invocation): NodeCommand {
  return new NodeCommand(name, args, !isReadOnly(name, args), false, decode);
}

/** The order as every copy can execute it. */
function rewritten(order: NodeCommand, { name = order.name, args = order.args }: Rewriting): NodeCommand {
  return new NodeCommand(name, args, order.isWrite);
}

interface Rewriting {
  readonly name?: string;
  readonly args?: readonly CommandArgument[];
}
