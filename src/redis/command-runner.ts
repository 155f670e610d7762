/**
 * Runs commands as the application wrote them: parses them by ioredis' own code, which may first have to be loaded, and hands
 * them to who knows where they go.
 */

import { loadedRedisClass, loadingOfIoredis } from '../server/index.ts';
import type { ClientLife } from './client-life.ts';
import type { ReplyEncoding } from './commander.ts';
import type { Dispatcher } from './dispatch.ts';
import { type CommandParser, type Invocation, invocationOf } from './invocation.ts';
import type { OnQueued, PipelineExecutor, PipelineResults, QueuedCommand } from './pipeline.ts';
import type { ChannelInput } from './pubsub/channel.ts';
import type { PubSub, SubscriptionCommand } from './pubsub/pubsub.ts';
import { type Script, scriptCall } from './script.ts';

export class CommandRunner implements PipelineExecutor {
  readonly scripts = new Map<string, Script>();
  readonly #life: ClientLife;
  readonly #dispatcher: Dispatcher;
  readonly #pubsub: PubSub;
  #parser: CommandParser | undefined;

  /** @param parser  Of the library that a borrowed client is of, which serves where ioredis is not installed. */
  constructor(life: ClientLife, dispatcher: Dispatcher, pubsub: PubSub, parser: CommandParser | undefined) {
    this.#life = life;
    this.#dispatcher = dispatcher;
    this.#pubsub = pubsub;
    this.#parser = parser;
  }

  readonly #commandParser = (): CommandParser => {
    this.#parser ??= loadedRedisClass().Command;
    return this.#parser;
  };

  /** Resolves when commands can be parsed. Undefined if they can be now, or never will: then parsing says why. */
  #loading(): Promise<void> | undefined {
    return this.#parser === undefined ? loadingOfIoredis() : undefined;
  }

  #parse(name: string, args: readonly unknown[], encoding: ReplyEncoding): Invocation {
    return invocationOf(name, args, encoding, this.#commandParser);
  }

  run(name: string, args: readonly unknown[], encoding: ReplyEncoding, isRead?: boolean): Promise<unknown> {
    try {
      this.#life.begin();
      const loading = this.#loading();
      if (loading === undefined) return this.#dispatcher.run(this.#parse(name, args, encoding), isRead);
      return loading.then(() => {
        this.#life.begin();
        return this.#dispatcher.run(this.#parse(name, args, encoding), isRead);
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  runScript(script: Script, args: readonly unknown[], encoding: ReplyEncoding): Promise<unknown> {
    const call = scriptCall(script, args);
    return this.run(call.name, call.args, encoding, script.readOnly);
  }

  /**
   * Messages come as ioredis' events: `message`, `pmessage`, `smessage` and their `*Buffer` forms. Every other command can be
   * used meanwhile, as subscriptions have connections of their own.
   */
  async subscribe(name: SubscriptionCommand, channels: unknown[]): Promise<number> {
    this.#life.begin();
    await this.#loading();
    return this.#pubsub[name](...(channels as ChannelInput[]));
  }

  /** A command that reads one key, for {@link Dispatcher.readKey}. */
  async reading(name: string, key: string | Buffer): Promise<Invocation> {
    this.#life.begin();
    await this.#loading();
    return this.#parse(name, [key, '0'], null);
  }

  execute({ script, name, args, encoding }: QueuedCommand): Promise<unknown> {
    return script === undefined ? this.run(name, args, encoding) : this.runScript(script, args, encoding);
  }

  async executeTransaction(commands: readonly QueuedCommand[], onQueued: OnQueued): Promise<PipelineResults | null> {
    this.#life.begin();
    const loading = this.#loading();
    if (loading !== undefined) await loading; // Else it begins now: closing later waits for it.
    const invocations = commands.map(({ script, name, args, encoding }) => {
      const call = script === undefined ? { name, args } : scriptCall(script, args);
      return this.#parse(call.name, call.args, encoding);
    });
    return this.#dispatcher.transact(invocations, onQueued);
  }
}
