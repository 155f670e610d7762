/**
 * The commands that a connection has been given and that are not answered, oldest first. Pure.
 *
 * A list of which the front is forgotten, and which is moved up once that is the larger part: constant time each, taken
 * together.
 */

import type { SendableCommand } from './direct-command.ts';

/** Shorter lists are not moved. */
const minMoved = 1_024;

export class CommandQueue {
  readonly #commands: (SendableCommand | undefined)[] = [];
  #first = 0;

  get length(): number {
    return this.#commands.length - this.#first;
  }

  push(command: SendableCommand): void {
    this.#commands.push(command);
  }

  shift(): SendableCommand | undefined {
    const command = this.#commands[this.#first];
    if (command === undefined) return undefined;
    this.#commands[this.#first++] = undefined;
    if (this.#first === this.#commands.length) {
      this.#commands.length = 0;
      this.#first = 0;
    } else if (this.#first >= minMoved && 2 * this.#first >= this.#commands.length) {
      this.#commands.splice(0, this.#first);
      this.#first = 0;
    }
    return command;
  }
}
