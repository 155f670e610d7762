/**
 * How a command is distributed over several nodes.
 *
 * Facts about commands (which exist, where their keys are, whether they write) are those of `@ioredis/commands`. This table
 * says only what follows from there being more than one server: what happens when the keys live on different nodes, and
 * when there are none. A command that has keys is for the one node that holds them all, unless it is listed as one that
 * can be split. A command without keys that is not listed here is rejected: to guess a node would be wrong in silence.
 */

import type { CommandArgument } from '../../server/index.ts';
import { exists, hasFlag } from './command-facts.ts';
import { hasKeylessRule, keyless } from './command-keyless.ts';
import { countIndexOf, hasOneKey, isKnownModuleCommand, keysOf, sortsByKeysAnywhere, tokenOf } from './command-keys.ts';
import { type Refusal, refuse, refusedCommands } from './command-refusals.ts';
import { firstOfParts, inOrderOfEntries, type MergeParts, type MergeReplies, sumOfParts } from './merge.ts';

export { blocking } from './command-blocking.ts';
export { keysOf } from './command-keys.ts';

type Args = readonly CommandArgument[];

export type Distribution =
  /** All its keys are on one node, or `ERR_CROSS_NODE`. It has at least one key. */
  | { readonly kind: 'oneNode' }
  /** One command a node with that node's keys, the replies merged. `width`: arguments of an entry, key first. */
  | { readonly kind: 'split'; readonly width: number; readonly merge: MergeParts }
  /** The same command to every node. */
  | { readonly kind: 'everywhere'; readonly merge: MergeReplies }
  /** To any one node: all would reply the same. Also a call of wrong form, which is the server's to refuse. */
  | { readonly kind: 'anyNode' }
  /** To the node of the channel, which is the argument at `index`. Channels have no copies and no key prefix. */
  | { readonly kind: 'channel'; readonly index: number }
  /** To a node drawn by `pickBySize`, after DBSIZE of all. */
  | { readonly kind: 'randomNode' }
  | Refusal;

const split = (width: number, merge: MergeParts): Distribution => ({ kind: 'split', width, merge });
const oneNode: Distribution = { kind: 'oneNode' };
const anyNode: Distribution = { kind: 'anyNode' };

const splittable: ReadonlyMap<string, Extract<Distribution, { kind: 'split' }>> = new Map(
  Object.entries({
    mget: split(1, inOrderOfEntries),
    mset: split(2, firstOfParts),
    del: split(1, sumOfParts),
    unlink: split(1, sumOfParts),
    exists: split(1, sumOfParts),
    touch: split(1, sumOfParts),
  }) as [string, Extract<Distribution, { kind: 'split' }>][],
);

/**
 * @param name        In lower case.
 * @param copies      On how many nodes each key is: the replication factor.
 * @param hashesTags  Whether keys of the same `{tag}` live together.
 */
export function distributionOf(name: string, args: Args, copies = 1, hashesTags = true): Distribution {
  if (hasOneKey(name) && !refusedCommands.has(name)) return args.length > 0 ? oneNode : anyNode;
  const refusal = refusedCommands.get(name) ?? refusalOfForm(name, args, hashesTags);
  if (refusal !== undefined) return refusal;
  const parts = splittable.get(name);
  if (parts !== undefined) return args.length > 0 && args.length % parts.width === 0 ? parts : anyNode;
  const rule = keyless(name, args, copies);
  if (rule !== undefined) return rule;
  return keysOf(name, args).length > 0 ? oneNode : anyNode;
}

const plain = new Map<string, boolean>();

/** True for the many commands of which {@link distributionOf} says 'oneNode' whenever they have a key. Found out once for each. */
export function isForItsKeys(name: string): boolean {
  const known = plain.get(name);
  if (known !== undefined) return known;
  if (!exists(name)) return false; // Not cached: callers can invent unlimited names.
  const hasForms = name === 'sort' || name === 'sort_ro' || hasFlag(name, 'script_runner');
  const isPlain = !hasForms && !refusedCommands.has(name) && !splittable.has(name) && !hasKeylessRule(name);
  plain.set(name, isPlain);
  return isPlain;
}

/** Commands whose keys are not known, or not all of them. */
function refusalOfForm(name: string, args: Args, hashesTags: boolean): Refusal | undefined {
  if (!exists(name)) {
    if (isKnownModuleCommand(name)) return undefined;
    return refuse(
      'the positions of its keys are unknown; send it to a node directly: redis.nodeFor(key).call(...)',
      'single-node only',
    );
  }
  if ((name === 'sort' || name === 'sort_ro') && sortsByKeysAnywhere(args, hashesTags)) {
    const advice = hashesTags ? '; put the same {tag} into the key and before the * of each pattern' : '';
    return refuse(`the keys built from its patterns may live on any node${advice}`, 'single-node only');
  }
  if (hasFlag(name, 'script_runner') && String(args[countIndexOf(name) ?? -1]) === '0') {
    return refuse(
      'it has no key that determines its node; give it a key, or choose a node: redis.on(nodeId).call(...)',
      'single-node only',
    );
  }
  return undefined;
}

/** Subcommands, which the flags of `@ioredis/commands` do not reach, and commands that concern no keys. */
const harmless = new Set([
  ...['command', 'echo', 'object', 'ping', 'pubsub', 'time', 'xinfo'],
  ...['memory usage', 'memory stats', 'memory doctor', 'script exists', 'function list', 'function dump'],
]);

/**
 * True if the command changes nothing, so that a replica may serve it and a repeat does no harm. GEORADIUS and SORT are
 * writes without STORE too, as a replica refuses them: their forms that end in `_ro` are reads.
 */
export function isReadOnly(name: string, args: Args): boolean {
  const known = readOnlyNames.get(name);
  if (known !== undefined) return known;
  if (!exists(name)) return false;
  const isReadOnlyAlways = hasFlag(name, 'readonly') || harmless.has(name);
  if (!isReadOnlyAlways && namesWithHarmlessForms.has(name)) {
    return args.length > 0 && harmless.has(`${name} ${tokenOf(args[0]).toLowerCase()}`);
  }
  readOnlyNames.set(name, isReadOnlyAlways);
  return isReadOnlyAlways;
}

/** Commands that are one or the other whatever their arguments. Found out once for each. */
const readOnlyNames = new Map<string, boolean>();

const namesWithHarmlessForms = new Set(
  [...harmless].filter((name) => name.includes(' ')).map((name) => name.split(' ')[0]),
);
