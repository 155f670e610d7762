/**
 * How a client of ioredis comes by its socket to a server of a group, in place of ioredis' own SentinelConnector.
 *
 * That one asks sentinels for ever while they cannot be reached and so outlives every deadline; it takes the first answer,
 * however old; it leaves ROLE to a check that this backend does without; and its watch for switches ends the connections of
 * all groups that the sentinels manage when one of them switches, and leaves open what a stopped server holds.
 */

import { connect as connectTcp, type NetConnectOpts, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import type { Clock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { Client } from './client.ts';
import type { Failure } from './failure.ts';
import type { GroupWatch } from './link.ts';
import { retryDelayMs } from './own-client.ts';
import type { Place, SentinelGroup } from './sentinel-group.ts';
import { roleFailure } from './sentinel-role.ts';
import type { Role } from './sentinel-settings.ts';

/** For a server to close a connection that we have ended, in milliseconds. */
const disconnectTimeoutMs = 250;

/** One client's part in a group: the options that lead it there, and the check that it got there. */
export class GroupMember implements GroupWatch {
  /** Over the options of a client. They may be given to any client of ioredis; its ready check then looks at the role. */
  readonly clientOptions: RedisOptions;
  /** The same for the client that all calls share. */
  readonly sharedOptions: RedisOptions;

  readonly #group: SentinelGroup;
  readonly #role: Role;
  /**
   * Attempts since a connection was last found to be right, where ioredis counts from one it can connect to. Undefined:
   * the group has just got another master.
   */
  #attempts: number | undefined = 0;

  constructor(group: SentinelGroup, role: Role, clock: Clock) {
    this.#group = group;
    this.#role = role;
    // ioredis calls it with `new` and takes what that gives.
    function Connector() {
      return new GroupConnector(group, role, clock);
    }
    this.clientOptions = { Connector: Connector as unknown as NonNullable<RedisOptions['Connector']> };
    this.sharedOptions = { ...this.clientOptions, retryStrategy: () => this.#nextDelayMs() };
  }

  #nextDelayMs(): number {
    const isSwitch = this.#attempts === undefined;
    this.#attempts = (this.#attempts ?? 0) + (isSwitch ? 0 : 1);
    return isSwitch ? 0 : retryDelayMs(this.#attempts, systemRandom);
  }

  async verify(client: Client): Promise<Failure | undefined> {
    const failure = await roleFailure(client, this.#role, this.#group.settings.name);
    if (failure === undefined) this.#attempts = 0;
    return failure;
  }

  onSwitch(listener: () => void): () => void {
    return this.#group.onSwitch(() => {
      this.#attempts = undefined; // The pauses were for the server that is no longer meant.
      listener();
    });
  }

  doubt(): void {
    this.#group.refresh();
  }
}

/** The shape that ioredis 5 and 6 ask of a connector. */
class GroupConnector {
  /** What ioredis reports for a stream that is given to it destroyed. */
  firstError: Error | undefined;

  readonly #group: SentinelGroup;
  readonly #role: Role;
  readonly #clock: Clock;
  #stream: Socket | undefined;
  #isWanted = false;

  constructor(group: SentinelGroup, role: Role, clock: Clock) {
    this.#group = group;
    this.#role = role;
    this.#clock = clock;
  }

  /** Asked by a client with a ready check, about INFO. */
  check(info: { readonly role?: string | undefined }): boolean {
    return info.role === undefined || info.role === this.#role;
  }

  /** Rejects never: then ioredis would give up. A failure is a stream that is destroyed, and ioredis tries again. */
  async connect(): Promise<Socket> {
    this.#isWanted = true;
    let stream: Socket;
    try {
      const place = await this.#group.find(this.#role);
      if (!this.#isWanted) throw new Error('The connection was closed.');
      stream = this.#open(place);
    } catch (error) {
      this.firstError = error as Error;
      stream = new Socket().destroy();
    }
    this.#stream = stream;
    return stream;
  }

  disconnect(): void {
    this.#isWanted = false;
    const stream = this.#stream;
    if (stream === undefined || stream.destroyed) return;
    const cancel = this.#clock.schedule(disconnectTimeoutMs, () => stream.destroy(), false);
    stream.once('close', cancel);
    stream.end();
  }

  #open(place: Place): Socket {
    const { tls, family } = this.#group.settings;
    const options = { ...place.address, ...(family === undefined ? {} : { family }) } as NetConnectOpts;
    const stream = tls === undefined ? connectTcp(options) : connectTls({ ...options, ...tls });
    stream.once('error', (error) => {
      this.firstError = error;
    });
    this.#group.hold(stream, this.#role, place);
    return stream;
  }
}
