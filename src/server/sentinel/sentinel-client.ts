/** Connections to one sentinel: to ask it once, and to listen to it for as long as a group is in use. */

import type { Redis, RedisOptions } from 'ioredis';
import type { Clock } from '../../runtime/clock.ts';
import { limitTime } from '../../runtime/time-limit.ts';
import type { Client } from '../link/client.ts';
import { failureOf, isReplyError } from '../link/failure.ts';
import { Heartbeat } from '../link/heartbeat.ts';
import { loadedRedisClass } from '../link/ioredis-module.ts';
import { signsOf } from '../link/signs-of-life.ts';
import { channels, newsOf, type SentinelNews, type SentinelView, viewOf } from './sentinel-reply.ts';
import type { Address, GroupSettings } from './sentinel-settings.ts';

/** A sentinel knows no databases and no CLIENT SETINFO worth a round trip; nothing is queued and nothing repeated. */
const clientOptions: RedisOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableReadyCheck: false,
  maxRetriesPerRequest: null,
  retryStrategy: () => null,
  disableClientInfo: true,
  protocol: 2,
  replyMapping: 'legacy',
};

function makeClient(address: Address, settings: GroupSettings, overrides: RedisOptions): Redis {
  const RedisClass = loadedRedisClass();
  const options = { ...settings.sentinelOptions, ...clientOptions, ...overrides };
  return new RedisClass({ ...options, host: address.host, port: address.port, connectTimeout: settings.askTimeoutMs });
}

const destroy = (client: Redis) => {
  client.disconnect();
  (client as unknown as { stream?: { destroy(): void } }).stream?.destroy();
};

/**
 * @throws  An error without arguments or passwords in it: the sentinel cannot be reached in time, refuses, or does not
 *          know the group.
 */
export async function askSentinel(
  address: Address,
  settings: GroupSettings,
  wantsReplicas: boolean,
  clock: Clock,
): Promise<SentinelView> {
  const client = makeClient(address, settings, {});
  let lastError: unknown;
  client.on('error', (error: unknown) => {
    lastError = error;
  });
  const { askTimeoutMs, name, learnsSentinels } = settings;
  let cancel: () => void = () => undefined;
  const timeIsUp = new Promise<never>((_, reject) => {
    const refuse = () => reject(new Error(`no answer within ${askTimeoutMs} ms`));
    cancel = limitTime(clock, askTimeoutMs, refuse, true);
  });
  const ask = async () => {
    await client.connect();
    const [group, master, replicas, sentinels] = await Promise.all([
      client.call('SENTINEL', 'MASTER', name),
      client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name),
      wantsReplicas ? client.call('SENTINEL', 'REPLICAS', name) : undefined,
      // A user that may not ask this can do without.
      learnsSentinels ? client.call('SENTINEL', 'SENTINELS', name).catch(() => undefined) : undefined,
    ]);
    return viewOf(group, master, replicas, sentinels);
  };
  try {
    const view = await Promise.race([ask(), timeIsUp]);
    if (view === undefined) throw new Error('its answer is not that of a sentinel');
    return view;
  } catch (error) {
    // If a connection failed, the event says more than the promise. The promise has what the server said.
    const isReply = isReplyError(error);
    throw failureOf(isReply ? error : (lastError ?? error)).cause;
  } finally {
    cancel();
    destroy(client);
  }
}

/** Pause before the next attempt to reach a sentinel that is watched: 100, 200, ... up to 1,000 ms. */
const watchRetryDelayMs = (attempt: number) => Math.min(100 * attempt, 1_000);

/** A silent sentinel is asked for a sign of life this often, in milliseconds, and left when none comes until the next time. */
const heartbeatMs = 1_000;

export interface WatchListener {
  /** Listening from now on; what was said before was missed. */
  onListening(): void;
  onNews(news: SentinelNews): void;
}

/** Listens to a sentinel until it is ended, and reconnects for as long. */
export class SentinelWatch {
  readonly #client: Redis;
  readonly #heartbeat: Heartbeat;

  constructor(address: Address, settings: GroupSettings, listener: WatchListener, clock: Clock) {
    const client = makeClient(address, settings, { retryStrategy: watchRetryDelayMs });
    this.#client = client;
    this.#heartbeat = new Heartbeat({
      ...{ clock, periodMs: heartbeatMs },
      // Before it is ready, to become so is the sign of life.
      ask: () => (client.status === 'ready' ? client.ping() : new Promise(() => undefined)),
      bytesRead: () => signsOf((client as unknown as Client).stream).readBytes,
      onSilence: () => (client as unknown as { stream?: { destroy(): void } }).stream?.destroy(),
    });
    client.on('error', () => undefined); // Whether sentinels can be reached shows when they are asked.
    // A peer that accepts and then is silent during AUTH would hold us for ever.
    client.on('connect', () => this.#heartbeat.startByAsking());
    client.on('ready', () => {
      // Refused (NOAUTH, NOPERM), there is no news; switches are then noticed by the connection's end, as without a watch.
      client.subscribe(...channels).then(
        () => listener.onListening(),
        () => undefined,
      );
      this.#heartbeat.startByAsking();
    });
    client.on('close', () => this.#heartbeat.stop());
    client.on('message', (channel: string, message: string) => {
      const news = newsOf(channel, message, settings.name);
      if (news !== undefined) listener.onNews(news);
    });
    client.connect().catch(() => undefined);
  }

  end(): void {
    this.#heartbeat.stop();
    destroy(this.#client);
  }
}
