/**
 * How the connections of a node get to its server, whatever it is: one address, a group of Sentinel, or where a borrowed client
 * leads; and the check that they got to the right one.
 */

import type { RedisOptions } from 'ioredis';
import type { Clock } from '../runtime/clock.ts';
import type { DirectClientOptions } from './direct/direct-options.ts';
import { Admission } from './link/admission.ts';
import { CredentialsSource } from './link/credentials.ts';
import type { ServerCheck } from './link/link.ts';
import { connectTimeoutOf, sharedClientOptions } from './link/own-client.ts';
import type { ServerIdentity } from './link/server-identity.ts';
import { SingleServer, SingleServerCheck } from './link/single-server.ts';
import { GroupMember } from './sentinel/sentinel-connector.ts';
import { SentinelGroup } from './sentinel/sentinel-group.ts';
import type { Target } from './target.ts';

export interface ServerAccessOptions {
  readonly clock: Clock;
  readonly connectTimeoutMs: number | undefined;
  readonly maxReplyBytes: number;
  readonly keyPrefix: string;
}

/** A check, and the options of the client that it is for. */
export interface ClientCheck extends ServerCheck {
  readonly sharedOptions: RedisOptions;
  /** What the server that was last verified has said of itself; undefined where it may not be asked. */
  readonly identity: ServerIdentity | undefined;
}

export class ServerAccess {
  /** Over the options of any client of ioredis that is to lead to the node. */
  readonly clientOptions: RedisOptions;
  /** The facts about the server for the node's cache. */
  readonly admission: Admission;

  readonly #place: Target;
  readonly #options: ServerAccessOptions;
  readonly #group: SentinelGroup | undefined;
  readonly #single: SingleServer;
  readonly #credentials: CredentialsSource | undefined;
  readonly #connectTimeoutMs: number;

  constructor(place: Target, options: ServerAccessOptions) {
    const { clock, connectTimeoutMs, keyPrefix } = options;
    const own = place.kind === 'own' ? place : undefined;
    const admission = new Admission({ database: databaseOf(place), prefix: keyPrefix });
    this.#place = place;
    this.#options = options;
    this.#connectTimeoutMs = connectTimeoutOf(own?.options ?? {}, connectTimeoutMs);
    this.#credentials = own?.credentials && new CredentialsSource(own.credentials, this.#connectTimeoutMs, clock);
    this.admission = admission;
    this.#group = place.group && new SentinelGroup(place.group, clock);
    this.#single = new SingleServer({
      socket: own?.options,
      credentials: this.#credentials,
      connectTimeoutMs: this.#connectTimeoutMs,
      allowsReplica: own?.allowsReplica === true,
      clock,
      onDemoted: () => admission.place?.demoted(),
    });
    this.clientOptions = this.#group === undefined ? this.#single.clientOptions : this.#member('master').clientOptions;
  }

  /** True if reads of the node go to replicas of its group. */
  get readsReplicas(): boolean {
    return this.#group?.settings.reads === 'replica';
  }

  /** For the connection that all calls share, which stands for the node in its cache. */
  sharedCheck(): ClientCheck {
    const { kind } = this.#place;
    if (this.#group !== undefined && kind === 'own') return this.#member('master', this.admission);
    return new SingleServerCheck(this.#single, kind === 'own', this.admission);
  }

  /** For any other connection, each with one of its own. All of them are ours. */
  newCheck(): ClientCheck {
    return this.#group === undefined ? new SingleServerCheck(this.#single, true) : this.#member('master');
  }

  /** For the connection to a replica of the group. */
  replicaCheck(): ClientCheck {
    return this.#member('slave');
  }

  /** Options of the shared connection for our own transport. */
  directOptions(options: RedisOptions, check: ClientCheck): DirectClientOptions {
    const { retryStrategy } = check.sharedOptions;
    const { clock, connectTimeoutMs } = this.#options;
    return {
      ...(sharedClientOptions(options, connectTimeoutMs) as DirectClientOptions),
      ...{
        clock,
        retryStrategy,
        maxReplyBytes: this.#options.maxReplyBytes,
        credentials: this.#credentials,
        asksIdentity: true,
      },
      open: () => this.#single.open(),
    };
  }

  /** A server of the node has said that it is a replica. */
  doubt(): void {
    if (this.#group === undefined) this.#single.doubt();
    else this.#group.refresh();
  }

  close(): void {
    this.#group?.close();
  }

  #member(role: 'master' | 'slave', admission?: Admission): GroupMember {
    return new GroupMember(this.#group!, role, {
      ...{ clock: this.#options.clock, admission },
      credentials: this.#credentials,
      connectTimeoutMs: this.#connectTimeoutMs,
    });
  }
}

const databaseOf = (place: Target): number => (place.kind === 'own' ? place.options.db : place.client.options.db) ?? 0;
