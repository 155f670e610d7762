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
import { primaryOf, type Route } from '../topology/route.ts';
import { copiesOf, type Topology } from '../topology/topology.ts';
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
import { commonRoute, expectCommonRoute, groupKeys, type KeyGroup } from './commands/key-groups.ts';
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

  /** By the topology that is in force now: called for all keys of a command in the same turn. */
  readonly #routeOf = (key: string): Route => this.fleet.routeOf(key);

  /**
   * Executes a command wherever it belongs, by the topology that is in force now: all of its keys are routed by this one.
   * @param isRead  The caller knows that it writes nothing, as of a script that is declared so.
   * @throws {ShardringError}  Also at once, before anything is sent.
   */
  run(invocation: Invocation, isRead?: boolean): Promise<unknown> {
    const { name, args, keys } = invocation;
    if (keys.length === 1 && isForItsKeys(name)) {
      return this.#together(this.#routeOf(keys[0]!), invocation, isRead ?? isReadOnly(name, args));
    }
    const { topology } = this.fleet;
    const distribution = distributionAt(topology, name, args);
    switch (distribution.kind) {
      case 'refused':
        throw new CommandRefusedError(name, distribution.reason);
      case 'oneNode': {
        const route = expectCommonRoute(this.#routeOf, name, keys, hashesTags(topology.placement));
        return this.#together(route, invocation, isRead ?? isReadOnly(name, args));
      }
      case 'split': {
        const route = commonRoute(this.#routeOf, keys);
        if (route !== undefined) return this.#together(route, invocation, isReadOnly(name, args));
        return this.#split(groupKeys(this.#routeOf, keys), invocation, distribution);
      }
      case 'everywhere':
        return this.#everywhere(invocation, distribution.merge);
      case 'anyNode':
        return this.#caller.call(this.#caller.anyNode(), orderOf(invocation));
      case 'channel':
        return this.#caller.call(primaryOf(this.#routeOf(invocation.channel)), orderOf(invocation));
      case 'randomNode':
        return this.#untilDone(this.#atRandomNode(invocation));
    }
  }

  /** A command all of whose keys have this route. */
  #together(route: Route, invocation: Invocation, isRead: boolean): Promise<unknown> {
    const { name, keys, keyIndexes, decode } = invocation;
    const args = withKeyPrefix(this.#options.keyPrefix, invocation);
    const hasOneKeyFirst = keyIndexes.length === 1 && keyIndexes[0] === 0;
    if (route.holders.length > 1) {
      return this.#atCopies(route, keys[0]!, new NodeCommand(name, args, !isRead, keys, hasOneKeyFirst)).then(decode);
    }
    return this.#caller.call(primaryOf(route), new NodeCommand(name, args, !isRead, keys, hasOneKeyFirst, decode));
  }

  /** The raw reply of the nodes on the route of `key`. */
  #atHolders(route: Route, key: string, order: NodeCommand): Promise<unknown> {
    return route.holders.length > 1 ? this.#atCopies(route, key, order) : this.#caller.call(primaryOf(route), order);
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
    const route = this.fleet.routeOf(key);
    const storedKey = withKeyPrefix(this.#options.keyPrefix, invocation)[0]!;
    if (route.holders.length === 1) return ask(primaryOf(route), storedKey, this.#caller.limits());
    const askAt: Ask = (node, limits) => ask(node, storedKey, limits);
    return readCopies(this.fleet, name, key, route, askAt, { preferred }) as Promise<Reply>;
  }

  async #atCopies(route: Route, key: string, order: NodeCommand): Promise<unknown> {
    const { name, args, isWrite } = order;
    const ask =
      (asked: NodeCommand): Ask =>
      async (node, limits) =>
        this.#caller.call(node, asked, limits);
    const wait = blocking(name, args);
    const waitMs = wait.blocks ? wait.maxMs : 0;
    if (!isWrite) return readCopies(this.fleet, name, key, route, ask(order), { waitMs });
    const replication = this.#replicationOf(name, args);
    switch (replication.kind) {
      case 'refused':
        throw new CommandRefusedError(name, replication.reason);
      case 'changesNothing':
        return readCopies(this.fleet, name, key, route, ask(order));
      case 'fanOut':
        return writeCopies(this.fleet, name, key, route, ask(rewritten(order, replication)));
      case 'effects': {
        const follow = (reply: unknown, node: NodeId, limits: CallLimits) =>
          this.#untilDone(this.#follow(replication.effectsOf(reply), order.keys, node, limits));
        const first = ask(rewritten(order, replication));
        const written = writeFirst(this.fleet, name, key, route, first, waitMs, follow);
        return wait.blocks ? written : this.#untilDone(written);
      }
    }
  }

  /** @param keys  Of the command that they are effects of. */
  async #follow(
    effects: readonly PlainCommand[],
    keys: readonly string[],
    node: NodeId,
    limits: CallLimits,
  ): Promise<void> {
    for (const { name, args } of effects) {
      await this.#caller.call(node, new NodeCommand(name, args, true, keys), limits);
    }
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
  async #split(
    groups: readonly KeyGroup[],
    invocation: Invocation,
    { width, merge }: Extract<Distribution, { kind: 'split' }>,
  ): Promise<unknown> {
    const { name, keys } = invocation;
    const args = withKeyPrefix(this.#options.keyPrefix, invocation);
    const isWrite = !isReadOnly(name, args);
    const parts = groups.map(async ({ route, positions }) => {
      const order = new NodeCommand(
        ...([name, argumentsOf(args, width, positions), isWrite] as const),
        positions.map((position) => keys[position]!),
      );
      return { entries: positions, reply: await this.#atHolders(route, keys[positions[0]!]!, order) };
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
    const { topology } = this.fleet;
    const keys = invocations.flatMap((invocation) => invocation.keys);
    for (const { name, args } of invocations) {
      const distribution = distributionAt(topology, name, args);
      if (distribution.kind === 'refused') throw new CommandRefusedError(name, distribution.reason);
      if (!isAlone(topology) && (distribution.kind === 'everywhere' || distribution.kind === 'randomNode')) {
        throw new CommandRefusedError(
          name,
          'it concerns all nodes, but a transaction runs on one; call it outside the transaction',
        );
      }
    }
    if (keys.length === 0 && !isAlone(topology)) {
      throw new CommandRefusedError('multi', 'it has no key that determines its node; use withConnection(key, use)');
    }
    // Without a key there is one node, which any key leads to.
    const [key = ''] = keys;
    const all = keys.length === 0 ? [key] : keys;
    const route = expectCommonRoute(this.#routeOf, 'multi', all, hashesTags(topology.placement));
    const commands = invocations.map((invocation) => this.#replicable(route, invocation));
    const at = async (id: NodeId, limits: CallLimits) => {
      const node = this.#caller.inService(id, 'multi');
      await this.#caller.afterEarlier(id, 'multi', limits);
      const effect = invocations.every(({ name, args }) => isReadOnly(name, args)) ? 'reads' : 'counts';
      const transaction = { name: 'multi', keys, effect } as const;
      return this.#caller.watched(node, transaction, limits, (time) => transactAt(node, commands, time, onQueued));
    };
    if (route.holders.length === 1) return this.#untilDone(at(primaryOf(route), this.#caller.limits()));
    const written = writeCopies(this.fleet, 'multi', key, route, at);
    return (await this.#untilDone(written)) as PipelineResults | null;
  }

  /** A command of a transaction, as every holder can execute it. */
  #replicable(route: Route, invocation: Invocation): TransactionCommand {
    const { name, encoding } = invocation;
    const args = withKeyPrefix(this.#options.keyPrefix, invocation);
    if (route.holders.length === 1 || isReadOnly(name, args)) return { name, args, encoding };
    const replication = this.#replicationOf(name, args);
    const canFanOut = replication.kind === 'fanOut' || (replication.kind === 'effects' && replication.mayFanOut);
    if (replication.kind === 'changesNothing') return { name, args, encoding };
    if (canFanOut) return { name: replication.name ?? name, args: replication.args ?? args, encoding };
    throw new CommandRefusedError(name, 'a transaction cannot keep its copies equal; call it outside the transaction');
  }
}

/** With one node there is nothing to choose. */
const isAlone = ({ placement }: Topology): boolean => placement.nodes.length === 1;

function distributionAt(topology: Topology, name: string, args: readonly CommandArgument[]): Distribution {
  const distribution = distributionOf(name, args, copiesOf(topology), hashesTags(topology.placement));
  if (distribution.kind !== 'refused' || !distribution.isSingleNodeOnly || !isAlone(topology)) return distribution;
  return { kind: keysOf(name, args).length > 0 ? 'oneNode' : 'anyNode' };
}

/** Keyless commands have nothing that a prefix could stand before. */
function orderOf({ name, args, decode }: Invocation): NodeCommand {
  return new NodeCommand(name, args, !isReadOnly(name, args), [], false, decode);
}

/** The order as every copy can execute it. */
function rewritten(order: NodeCommand, { name = order.name, args = order.args }: Rewriting): NodeCommand {
  return new NodeCommand(name, args, order.isWrite, order.keys);
}

interface Rewriting {
  readonly name?: string;
  readonly args?: readonly CommandArgument[];
}
