/**
 * A client of ioredis as a subscriber uses it, and the server behind it. Nothing happens until the test says so: the connection
 * is made, each command executed and confirmed, or all of it lost, one step at a time.
 */

import { EventEmitter } from 'node:events';
import type { Family } from '../../../src/redis/pubsub/channel.ts';

interface Command {
  readonly family: Family;
  readonly isEnd: boolean;
  readonly names: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

type Names = readonly (string | Buffer)[];

export class SimulatedConnection extends EventEmitter {
  status: 'wait' | 'connecting' | 'ready' | 'reconnecting' | 'end' = 'wait';
  stream = { writable: true, destroyed: false, bytesRead: 0, destroy: () => this.lose() };
  /** What the server has executed and not lost, as `subscribe x`. */
  readonly executed = new Set<string>();
  #sent: Command[] = [];

  constructor(
    readonly nodeId: string,
    readonly onSent: (
      connection: SimulatedConnection,
      family: Family,
      isEnd: boolean,
      names: readonly string[],
    ) => void,
  ) {
    super();
  }

  readonly subscribe = (...names: Names) => this.#send('subscribe', false, names);
  readonly psubscribe = (...names: Names) => this.#send('psubscribe', false, names);
  readonly ssubscribe = (...names: Names) => this.#send('ssubscribe', false, names);
  readonly unsubscribe = (...names: Names) => this.#send('subscribe', true, names);
  readonly punsubscribe = (...names: Names) => this.#send('psubscribe', true, names);
  readonly sunsubscribe = (...names: Names) => this.#send('ssubscribe', true, names);
  readonly ping = async () => 'PONG';

  connect(): Promise<void> {
    this.status = 'connecting';
    return new Promise(() => undefined);
  }

  disconnect(): void {
    this.#cut(new Error('disconnected'));
    this.status = 'end';
  }

  /** The connection is made. @returns False if none is being made. */
  comeUp(): boolean {
    if (this.status !== 'connecting' && this.status !== 'reconnecting') return false;
    this.stream = { ...this.stream };
    this.status = 'ready';
    this.emit('connect');
    this.emit('ready');
    return true;
  }

  /** The server executes the oldest command, and its reply comes. @returns False if there is none. */
  execute(): boolean {
    const command = this.#sent.shift();
    if (command === undefined) return false;
    for (const name of command.names) {
      if (command.isEnd) this.executed.delete(`${command.family} ${name}`);
      else this.executed.add(`${command.family} ${name}`);
    }
    command.resolve();
    return true;
  }

  /** The connection is lost, with all that was in flight and all that the server had for it. */
  lose(): boolean {
    if (this.status !== 'ready') return false;
    this.#cut(new Error('lost'));
    this.status = 'reconnecting';
    this.emit('close');
    return true;
  }

  #cut(error: Error): void {
    this.executed.clear();
    for (const { reject } of this.#sent.splice(0)) reject(error);
  }

  #send(family: Family, isEnd: boolean, given: Names): Promise<void> {
    const names = given.map(String);
    this.onSent(this, family, isEnd, names);
    return new Promise((resolve, reject) => this.#sent.push({ family, isEnd, names, resolve, reject }));
  }
}
