/**
 * How a client comes by its socket to a server of a group, in place of ioredis' own SentinelConnector, and the check that it
 * got to the right one.
 *
 * That one asks sentinels for ever while they cannot be reached and so outlives every deadline; it takes the first answer,
 * however old; it leaves ROLE to a check that this backend does without; and its watch for switches ends the connections of
 * all groups that the sentinels manage when one of them switches, and leaves open what a stopped server holds.
 */

import type { Socket } from 'node:net';
import type { RedisOptions } from 'ioredis';
import type { Clock } from '../../runtime/clock.ts';
import { type Admission, misfitOf } from '../link/admission.ts';
import type { Client } from '../link/client.ts';
import { connectorOptions } from '../link/connector.ts';
import type { CredentialsSource } from '../link/credentials.ts';
import { type Failure, failureOf } from '../link/failure.ts';
import { identify } from '../link/identify.ts';
import type { ServerCheck } from '../link/link.ts';
import { openSocket } from '../link/open-socket.ts';
import { RetryPauses } from '../link/own-client.ts';
import type { ServerIdentity } from '../link/server-identity.ts';
import type { SentinelGroup } from './sentinel-group.ts';
import type { Role } from './sentinel-settings.ts';

export interface GroupMemberOptions {
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly credentials: CredentialsSource | undefined;
  /** For the connection that represents the node in its cache. */
  readonly admission?: Admission | undefined;
}

/** One client's part in a group: the options that lead it there, and the check that it got there. */
export class GroupMember implements ServerCheck {
  /** Over the options of a client. They may be given to any client of ioredis; its ready check then looks at the role. */
  readonly clientOptions: RedisOptions;
  /** The same for the client that all calls share. */
  readonly sharedOptions: RedisOptions;
  identity: ServerIdentity | undefined;

  readonly #group: SentinelGroup;
  readonly #role: Role;
  readonly #admission: Admission | undefined;
  readonly #credentials: CredentialsSource | undefined;
  readonly #pauses = new RetryPauses();

  constructor(group: SentinelGroup, role: Role, options: GroupMemberOptions) {
    const { clock, connectTimeoutMs, credentials, admission } = options;
    this.#group = group;
    this.#role = role;
    this.#admission = admission;
    this.#credentials = credentials;
    const source = {
      open: () => openAt(group, role, connectTimeoutMs, clock),
      credentials,
      role,
    };
    this.clientOptions = connectorOptions(source, clock);
    this.sharedOptions = { ...this.clientOptions, retryStrategy: this.#pauses.nextMs };
  }

  async verify(client: Client, revoke: (failure: Failure) => void): Promise<Failure | undefined> {
    const { stream } = client;
    let identity: ServerIdentity;
    try {
      identity = await identify(client);
    } catch (error) {
      return failureOf(error);
    }
    this.identity = identity;
    const failure =
      misfitOf(identity, undefined) ??
      this.#roleFailure(identity) ??
      (stream && this.#admission?.admit(identity, stream, revoke));
    if (failure === undefined) this.#pauses.succeeded();
    return failure;
  }

  #roleFailure({ role }: ServerIdentity): Failure | undefined {
    if (role === this.#role) return undefined;
    const { name } = this.#group.settings;
    const text = `The server that the sentinels name as ${nounOf(this.#role)} of the group '${name}' says that it is a ${nounOf(role)}.`;
    return { kind: 'connection', cause: new Error(text) };
  }

  onSwitch(listener: () => void): () => void {
    return this.#group.onSwitch(() => {
      this.#pauses.skip();
      listener();
    });
  }

  get waitsFor(): string {
    return (
      this.#credentials?.waitsFor ??
      `its sentinels have not named a ${nounOf(this.#role)} yet. Check their addresses and firewalls.`
    );
  }

  doubt(): boolean {
    this.#group.refresh();
    return true;
  }
}

const nounOf = (role: Role | undefined) => (role === 'slave' ? 'replica' : (role ?? 'server of no known role'));

async function openAt(group: SentinelGroup, role: Role, connectTimeoutMs: number, clock: Clock): Promise<Socket> {
  const place = await group.find(role);
  const { tls, family } = group.settings;
  const { socket } = openSocket({ ...place.address, family, tls, connectTimeout: connectTimeoutMs }, clock);
  group.hold(socket, role, place);
  return socket;
}
