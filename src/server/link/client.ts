/**
 * The part of an ioredis client that this backend uses.
 *
 * A shape and not a class, so that a borrowed client may be of ioredis 5 or 6, of iovalkey, or of another copy of them.
 */

import type { Duplex } from 'node:stream';
import type { ServerIdentity } from './server-identity.ts';

export type CommandArgument = string | Buffer | number;

/** A command on its way. ioredis settles it through `resolve` and `reject`, which are therefore the place to listen. */
export interface ClientCommand {
  readonly name: string;
  readonly args: readonly CommandArgument[];
  resolve: (reply: unknown) => unknown;
  reject: (error: Error) => void;
  readonly promise: Promise<unknown>;
}

export type CommandClass = new (
  name: string,
  args: readonly CommandArgument[],
  options: typeof rawReplies,
) => ClientCommand;

export const rawReplies = { replyEncoding: null } as const;

/** State of a client in the words of ioredis. `wait`: not asked to connect yet. `end`: never again by itself. */
export type ClientStatus =
  | 'wait'
  | 'connecting'
  | 'connect'
  | 'ready'
  | 'close'
  | 'reconnecting'
  | 'disconnecting'
  | 'end';

export type ClientEvent = 'connect' | 'ready' | 'error' | 'close' | 'end';

export interface Client {
  readonly status: ClientStatus | string;
  readonly isCluster?: boolean | undefined;
  readonly options: ClientOptions;
  /** Undefined before the first connection; another one after each reconnection. */
  readonly stream?: Duplex | undefined;
  /** What the server knows of the connection; replaced on each one. */
  readonly condition?: { readonly select?: number; readonly subscriber?: unknown } | null | undefined;
  /** For a client of our own transport: what the server said about itself when the connection was made. */
  readonly identity?: ServerIdentity | undefined;
  readonly commandQueue?: { readonly length: number } | undefined;
  connect(): Promise<void>;
  disconnect(): void;
  duplicate(overrides: object): Client;
  ping(): Promise<unknown>;
  /** @param target  Gets the command's bytes in place of the socket. */
  sendCommand(command: ClientCommand, target?: { write(bytes: never): unknown }): unknown;
  on(event: ClientEvent, listener: (argument: never) => void): unknown;
  removeListener(event: ClientEvent, listener: (argument: never) => void): unknown;
}

export interface ClientOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly name?: string | null | undefined;
  readonly db?: number | undefined;
  readonly keyPrefix?: unknown;
  readonly keepAlive?: number | undefined;
  readonly sentinels?: unknown;
  readonly autoResendUnfulfilledCommands?: boolean | undefined;
  readonly enableReadyCheck?: boolean | undefined;
}

/**
 * The class of a client's commands, undefined if it is no client of ioredis or iovalkey.
 *
 * Nothing on a client leads to it (its `constructor` is EventEmitter), and a borrowed client may be of another copy of the
 * library than ours. So a stand-in, on which nothing is sent, is asked for a command.
 */
export function commandClassOf(client: Client): CommandClass | undefined {
  const standIn = Object.create(client, {
    options: { value: {} },
    sendCommand: { value: (command: ClientCommand) => command },
  }) as { callBuffer?: (name: string) => ClientCommand };
  try {
    const command = standIn.callBuffer?.('ping');
    return typeof command?.resolve === 'function' ? (command.constructor as CommandClass) : undefined;
  } catch {
    return undefined; // The method knows its own objects, and the stand-in is none.
  }
}

/** False of a borrowed client whose owner has it ask nothing of the server, as before a proxy that closes at HELLO and INFO. */
export function mayAskServer({ options }: Client): boolean {
  return options.enableReadyCheck !== false;
}

/** True if a command given to the client now goes out at once, and not into a queue of its own. */
export function canSend(client: Client): boolean {
  return client.status === 'ready' && client.stream?.writable !== false;
}
