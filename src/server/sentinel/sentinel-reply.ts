/** Answers of sentinels as data: replies of SENTINEL commands, messages of their channels, and how to combine several. */

import type { RedisOptions } from 'ioredis';
import type { Random } from '../../runtime/random.ts';
import type { Address } from './sentinel-settings.ts';

/** A replica by the names that sentinels and `preferredSlaves` use: `ip`, `port`, `flags`, `master-link-status`, ... */
export type ReplicaState = Readonly<Record<string, string>>;

/** One sentinel's view of a group. Addresses are as the sentinel has them. */
export interface SentinelView {
  /** Version of the group's configuration: sentinels raise it with each switch, and the higher one wins. */
  readonly epoch: number;
  readonly master: Address;
  readonly replicas: readonly ReplicaState[];
  /** Others that watch the group and are connected to this one. */
  readonly sentinels: readonly Address[];
  /** All that watch the group as far as this one knows, itself and those it has lost among them. */
  readonly sentinelCount: number;
}

/** A reply of names and values in turn, as RESP2 has maps. */
export function fieldsOf(reply: unknown): Readonly<Record<string, string>> {
  const fields: Record<string, string> = Object.create(null);
  if (!Array.isArray(reply)) return fields;
  for (let index = 0; index + 1 < reply.length; index += 2) fields[String(reply[index])] = String(reply[index + 1]);
  return fields;
}

const listOf = (reply: unknown): ReplicaState[] => (Array.isArray(reply) ? reply.map(fieldsOf) : []);

function addressOf(host: unknown, port: unknown): Address | undefined {
  const number = Number(port);
  const isAddress = typeof host === 'string' && host !== '' && Number.isInteger(number) && number > 0;
  return isAddress ? { host, port: number } : undefined;
}

/**
 * @param group      Reply of SENTINEL MASTER, asked before the address: if a switch comes between the two, the address is
 *                   newer than its epoch, and will be learnt once more. The other way round an old one would count as new.
 * @param address    Of SENTINEL GET-MASTER-ADDR-BY-NAME. While a switch is being completed it names the new master, and
 *                   SENTINEL MASTER still the old one.
 * @param replicas   Of SENTINEL REPLICAS, or undefined.
 * @param sentinels  Of SENTINEL SENTINELS, or undefined.
 * @returns Undefined if this is no such reply.
 */
export function viewOf(
  group: unknown,
  address: unknown,
  replicas: unknown,
  sentinels: unknown,
): SentinelView | undefined {
  const fields = fieldsOf(group);
  const epoch = Number(fields['config-epoch']);
  const master = Array.isArray(address) ? addressOf(address[0], address[1]) : undefined;
  if (master === undefined || !Number.isFinite(epoch)) return undefined;
  return {
    epoch,
    master,
    replicas: listOf(replicas),
    sentinels: listOf(sentinels)
      .filter(({ flags }) => !flags?.includes('disconnected'))
      .map(({ ip, port }) => addressOf(ip, port))
      .filter((found) => found !== undefined),
    sentinelCount: 1 + (Number(fields['num-other-sentinels']) || 0),
  };
}

export const isSame = (one: Address, other: Address): boolean => one.host === other.host && one.port === other.port;

/** The view of the newest configuration; the first of several. */
export const newest = <View extends { readonly epoch: number }>(views: readonly [View, ...View[]]): View =>
  views.reduce((best, view) => (view.epoch > best.epoch ? view : best));

/**
 * Whether to follow what the sentinels say now.
 *
 * A sentinel that was cut off knows the master of before, and so may lead us to a server that lost its office long ago.
 * So a configuration older than the newest one heard of is followed only if most sentinels have it, and still have it when
 * the newer one has had time to reach them: then the group was set up again, and counts from 0.
 *
 * @param newestHeard  The newest configuration heard of, and since when, in milliseconds.
 * @param agreeing     Sentinels that answered with this one.
 */
export function isCredible(
  epoch: number,
  newestHeard: { readonly epoch: number; readonly ageMs: number } | undefined,
  agreeing: number,
  sentinelCount: number,
): boolean {
  if (newestHeard === undefined || epoch >= newestHeard.epoch) return true;
  return agreeing > sentinelCount / 2 && newestHeard.ageMs > gossipMs;
}

/** Five times the period in which sentinels exchange their configurations (2 s). */
const gossipMs = 10_000;

const isUsable = ({ flags = '' }: ReplicaState) => !/disconnected|s_down|o_down/.test(flags);

/**
 * The replica to read from, undefined if none can be.
 *
 * `preferredSlaves` decides as it does in ioredis; among the others chance does, and those that hear their master come first.
 */
export function chooseReplica(
  replicas: readonly ReplicaState[],
  preferred: RedisOptions['preferredSlaves'],
  random: Random,
): Address | undefined {
  const usable = replicas.filter(isUsable);
  const chosen = preferredReplica(usable, preferred) ?? anyOf(usable.filter(isLinked), random) ?? anyOf(usable, random);
  return chosen === undefined ? undefined : addressOf(chosen.ip, chosen.port);
}

const isLinked = (replica: ReplicaState) => replica['master-link-status'] === 'ok';

const anyOf = (replicas: readonly ReplicaState[], random: Random) => replicas[Math.floor(random() * replicas.length)];

function preferredReplica(
  usable: readonly ReplicaState[],
  preferred: RedisOptions['preferredSlaves'],
): ReplicaState | undefined {
  if (preferred === undefined || preferred === null || usable.length === 0) return undefined;
  if (typeof preferred === 'function') {
    type Slaves = Parameters<typeof preferred>[0];
    return (preferred([...usable] as unknown as Slaves) ?? undefined) as ReplicaState | undefined;
  }
  const wishes = (Array.isArray(preferred) ? [...preferred] : [preferred]).sort(
    (a, b) => (a.prio ?? 1) - (b.prio ?? 1),
  );
  for (const wish of wishes) {
    const found = usable.find(({ ip, port }) => ip === wish.ip && port === String(wish.port));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A message of a channel of sentinels, as far as it says something about the group. */
export type SentinelNews =
  /** A replica has been ordered to become the master; from now on there may be two masters. */
  | { readonly kind: 'promoting' }
  /** It was not seen to become one. */
  | { readonly kind: 'aborted' }
  | { readonly kind: 'switch' }
  | { readonly kind: 'replicaDown'; readonly replica: Address };

/** Sentinels watch several groups, and report on all of them on the same channels. */
export function newsOf(channel: string, message: string, group: string): SentinelNews | undefined {
  const words = message.split(' ');
  // <group> <old ip> <old port> <new ip> <new port>
  if (channel === '+switch-master') return words[0] === group ? { kind: 'switch' } : undefined;
  // master <group> <ip> <port>
  if (channel === '-failover-abort-slave-timeout') return words[1] === group ? { kind: 'aborted' } : undefined;
  // slave <name> <ip> <port> @ <group> <master ip> <master port>
  if (words[0] !== 'slave' || words[5] !== group) return undefined;
  if (channel === '+failover-state-wait-promotion') return { kind: 'promoting' };
  if (channel === '+promoted-slave') return { kind: 'switch' };
  if (channel !== '+sdown') return undefined;
  const replica = addressOf(words[2], words[3]);
  return replica && { kind: 'replicaDown', replica };
}

/**
 * A write to the old master while there is a new one is lost. The sentinel that leads a switch says when it sends the
 * order (+failover-state-wait-promotion) and, up to a second later, when it sees it carried out (+promoted-slave); from then
 * on it names the new master when asked. All say +switch-master, but only once the switch is complete.
 */
export const channels = [
  '+failover-state-wait-promotion',
  '-failover-abort-slave-timeout',
  '+promoted-slave',
  '+switch-master',
  '+sdown',
] as const;
