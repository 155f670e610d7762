/**
 * One socket's life, with the commands that it was given: a reply can reach no other's.
 *
 * Commands are written together at the end of the turn in which they came (`process.nextTick`); they are answered in their
 * order. A reply without a command, or bytes that are not a reply, end the session: later replies could not be assigned.
 */

import type { Socket } from 'node:net';
import { rethrowLater } from '../../runtime/rethrow-later.ts';
import { RespEncoder } from '../sending/resp-encoder.ts';
import { CommandQueue } from './command-queue.ts';
import type { SendableCommand } from './direct-command.ts';
import { RespDecoder } from './resp-decoder.ts';
import { ProtocolError, type ReplyError } from './resp-errors.ts';

export interface SessionListener {
  /** 'close' follows. */
  onError(error: Error): void;
  /** Unanswered commands are rejected after this. */
  onClose(): void;
}

export interface SessionLimits {
  readonly maxReplyBytes?: number | undefined;
  /** That is asked for. Default 2. */
  readonly protocol?: 2 | 3 | undefined;
}

export class Session {
  readonly socket: Socket;
  readonly queue = new CommandQueue();
  readonly #listener: SessionListener;
  readonly #encoder = new RespEncoder();
  readonly #decoder: RespDecoder;
  #isFlushScheduled = false;
  #failure: Error | undefined;

  constructor(socket: Socket, listener: SessionListener, limits: SessionLimits = {}) {
    this.socket = socket;
    this.#listener = listener;
    const { maxReplyBytes, protocol = 2 } = limits;
    const onPush = () => {
      // Tracking and similar, which nobody here has asked for. RESP2 has none.
      if (protocol === 2) throw new ProtocolError('A push came, which RESP2 does not have.');
    };
    const onReply = (reply: unknown) => this.#onReply(reply);
    const onError = (error: ReplyError) => this.#onReplyError(error);
    this.#decoder = new RespDecoder({ onReply, onError, onPush }, maxReplyBytes);
    socket.on('data', (piece: Buffer) => this.#onData(piece));
    socket.on('error', (error: Error) => this.#onError(error));
    socket.once('close', () => this.#onClose());
  }

  /** @throws {TypeError} The command has not exactly one reply, or an argument is of no kind that can be sent. */
  send(command: SendableCommand): void {
    this.#encoder.add(command.name, command.args);
    this.queue.push(command);
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    process.nextTick(this.#flush);
  }

  /** Gives the socket up, for this reason. */
  fail(error: Error): void {
    this.socket.destroy(); // First, as a listener may throw. 'close' comes later.
    this.#onError(error);
  }

  readonly #flush = (): void => {
    this.#isFlushScheduled = false;
    this.#encoder.writeTo(this.socket); // If it is being closed, 'close' rejects the commands.
  };

  #onData(piece: Buffer): void {
    // After a failure nothing is to be believed, and after a `destroy` nothing comes.
    if (this.#failure !== undefined) return;
    try {
      this.#decoder.write(piece);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #onReply(reply: unknown): void {
    const command = this.#answered();
    try {
      command.resolve(reply);
    } catch (error) {
      rethrowLater(error);
    }
  }

  #onReplyError(error: ReplyError): void {
    const command = this.#answered();
    // As in ioredis, but without a password.
    if (command.name !== 'auth' && command.name !== 'hello') {
      Object.assign(error, { command: { name: command.name, args: command.args } });
    }
    try {
      command.reject(error);
    } catch (thrown) {
      rethrowLater(thrown);
    }
  }

  #answered(): SendableCommand {
    const command = this.queue.shift();
    if (command === undefined) throw new ProtocolError('A reply came to which there is no command.');
    return command;
  }

  #onError(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#listener.onError(error);
  }

  #onClose(): void {
    this.#failure ??= new Error('The connection was closed.');
    const error = this.#failure;
    this.#listener.onClose();
    for (let command = this.queue.shift(); command !== undefined; command = this.queue.shift()) {
      try {
        command.reject(error);
      } catch (thrown) {
        rethrowLater(thrown);
      }
    }
  }
}
