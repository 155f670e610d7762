/** Commands without keys: which go to every node, which to any, and which of their subcommands are rejected. */

import type { CommandArgument } from '../../server/index.ts';
import { exists } from './command-facts.ts';
import { keysOf, tokenOf } from './command-keys.ts';
import { chooseNode, eachOf, ofTheConnection, type Refusal, refuse } from './command-refusals.ts';
import { first, type MergeReplies, maximum, minimum, minimumOfEach, sum, sumOfCounts, union } from './merge.ts';

type Args = readonly CommandArgument[];

type KeylessDistribution =
  | { readonly kind: 'everywhere'; readonly merge: MergeReplies }
  | { readonly kind: 'anyNode' | 'oneNode' | 'randomNode' }
  | { readonly kind: 'channel'; readonly index: number }
  | Refusal;

/** One answer, or one for each subcommand, named in lower case. */
type Rule = KeylessDistribution | ReadonlyMap<string, KeylessDistribution>;

const everywhere = (merge: MergeReplies): KeylessDistribution => ({ kind: 'everywhere', merge });
const anyNode: KeylessDistribution = { kind: 'anyNode' };
const ofItsKey: KeylessDistribution = { kind: 'oneNode' };

const subcommands = (rules: Record<string, KeylessDistribution>): Rule =>
  new Map(Object.entries({ ...rules, help: anyNode }));

const rules: ReadonlyMap<string, Rule> = new Map(
  Object.entries<Rule>({
    // Every node.
    ping: everywhere(first),
    flushall: everywhere(first),
    flushdb: everywhere(first),
    keys: everywhere(union),
    dbsize: everywhere(sum),
    wait: everywhere(minimum),
    waitaof: everywhere(minimumOfEach),
    randomkey: { kind: 'randomNode' },
    script: subcommands({
      load: everywhere(first),
      exists: everywhere(minimumOfEach),
      flush: everywhere(first),
      kill: chooseNode('a script runs on one node, and the others would answer NOTBUSY'),
      debug: ofTheConnection('use redis-cli --ldb'),
    }),
    function: subcommands({
      load: everywhere(first),
      delete: everywhere(first),
      flush: everywhere(first),
      restore: everywhere(first),
      list: chooseNode('each node has its own libraries'),
      dump: chooseNode('each node has its own libraries'),
      stats: chooseNode('each node runs its own functions'),
      kill: chooseNode('a function runs on one node, and the others would answer NOTBUSY'),
    }),
    // Channels. A pattern is subscribed to on every node, so each node counts all patterns.
    publish: { kind: 'channel', index: 0 },
    spublish: { kind: 'channel', index: 0 },
    pubsub: subcommands({
      channels: everywhere(union),
      shardchannels: everywhere(union),
      numsub: everywhere(sumOfCounts),
      shardnumsub: everywhere(sumOfCounts),
      numpat: everywhere(maximum),
    }),
    // Any node.
    echo: anyNode,
    lolwut: anyNode,
    command: anyNode,
    // A subcommand has the key.
    object: subcommands({ encoding: ofItsKey, freq: ofItsKey, idletime: ofItsKey, refcount: ofItsKey }),
    memory: subcommands({
      usage: ofItsKey,
      doctor: chooseNode('it looks at the memory of one server'),
      'malloc-stats': chooseNode('it looks at the memory of one server'),
      purge: chooseNode('it frees memory of one server'),
      stats: chooseNode('it looks at the memory of one server'),
    }),
    xgroup: subcommands({
      create: ofItsKey,
      createconsumer: ofItsKey,
      delconsumer: ofItsKey,
      destroy: ofItsKey,
      setid: ofItsKey,
    }),
    xinfo: subcommands({ consumers: ofItsKey, groups: ofItsKey, stream: ofItsKey }),
    acl: subcommands({
      cat: anyNode,
      genpass: anyNode,
      whoami: chooseNode('each node has its own users'),
      ...eachOf(
        ['deluser', 'dryrun', 'getuser', 'list', 'load', 'log', 'save', 'setuser', 'users'],
        chooseNode('each node has its own users'),
      ),
    }),
  }),
);

const unknownSubcommand = chooseNode('this subcommand is unknown');
const unknownCommand = chooseNode('it has no key, and its effect on several nodes is unknown');

const dbsizeOfCopies = refuse(
  'it would count every copy of a key; count what redis.scan() gives, or ask one node: redis.on(nodeId).dbsize()',
  'single-node only',
);

/** True if the command has an answer here, with or without keys. */
export const hasKeylessRule = (name: string): boolean => rules.has(name);

/** The distribution of a command without keys in `@ioredis/commands`; undefined for a command with keys. */
export function keyless(name: string, args: Args, copies: number): KeylessDistribution | undefined {
  if (name === 'dbsize' && copies > 1) return dbsizeOfCopies;
  const rule = rules.get(name);
  if (rule === undefined) return hasKeysInSomeForm(name) ? undefined : unknownCommand;
  if (!(rule instanceof Map)) return rule as KeylessDistribution;
  if (args.length === 0) return anyNode;
  const ofSubcommand = rule.get(tokenOf(args[0]).toLowerCase()) ?? unknownSubcommand;
  return ofSubcommand === ofItsKey && keysOf(name, args).length === 0 ? anyNode : ofSubcommand;
}

const namesWithKeys = new Map<string, boolean>();

/** True if there are arguments with which the command has a key. */
function hasKeysInSomeForm(name: string): boolean {
  const known = namesWithKeys.get(name);
  if (known !== undefined) return known;
  const forms = [
    ['a', 'b', 'c', 'd', 'e', 'f'],
    ['1', '1', 'a', 'b'],
    ['GROUP', 'g', 'c', 'STREAMS', 'a', '0'],
  ];
  const hasKeys = forms.some((form) => keysOf(name, form).length > 0);
  if (exists(name)) namesWithKeys.set(name, hasKeys);
  return hasKeys;
}
