/** A command with as little to it as its life needs: no arguments to parse, no reply to translate, no timer. */

import type { ClientCommand, CommandArgument } from '../link/client.ts';

/** The part of a command that is needed to send it. A command made by ioredis has it too. */
export interface SendableCommand extends ClientCommand {
  readonly name: string;
  readonly args: readonly CommandArgument[];
  /** For a command made by ioredis: the protocol of its reply. */
  setReplyContext?(context: { readonly protocol: 2 | 3; readonly replyMapping: 'legacy' }): void;
}

const ignore = () => undefined;

export class DirectCommand implements SendableCommand {
  readonly name: string;
  readonly args: readonly CommandArgument[];
  /** A listener such as `Outbox` needs no promise, so none is made until one is asked for. */
  resolve: (reply: unknown) => unknown = ignore;
  reject: (error: Error) => void = ignore;
  #promise: Promise<unknown> | undefined;

  constructor(name: string, args: readonly CommandArgument[] = []) {
    this.name = name;
    this.args = args;
  }

  /** Tells the outcome if it is asked for before the command is sent, and stays open otherwise. */
  get promise(): Promise<unknown> {
    this.#promise ??= new Promise((resolve, reject) => {
      if (this.resolve === ignore) this.resolve = resolve;
      if (this.reject === ignore) this.reject = reject;
    });
    return this.#promise;
  }
}
