/** The parent's end of a contender's process. */

import { type ChildProcess, fork } from 'node:child_process';
import { pin } from './cores.ts';

/** A busy machine may take its time; calls have none under way. */
const closeTimeoutMs = 10_000;

export class ContenderProcess<Task extends object, Answer> {
  readonly name: string;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
  }

  /**
   * Resolves when it is ready to be measured, with its answers checked.
   * @param module  Of this folder.
   * @param core  Where it runs from then on; undefined for anywhere.
   */
  static async start<Task extends object, Answer>(
    module: string,
    name: string,
    task: object,
    core: number | undefined,
  ): Promise<ContenderProcess<Task, Answer>> {
    const child = fork(new URL(module, import.meta.url), [JSON.stringify(task)]);
    const started = new ContenderProcess<Task, Answer>(name, child);
    try {
      await started.#nextMessage();
      if (child.pid !== undefined) await pin(child.pid, core);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    return started;
  }

  ask(task: Task): Promise<Answer> {
    const answer = this.#nextMessage();
    this.#child.send(task);
    return answer as Promise<Answer>;
  }

  /** @throws {Error} It does not end well, though it was alive. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise<number | null>((resolve) => this.#child.once('exit', resolve));
    this.#child.send('close');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), closeTimeoutMs);
    const code = await ended;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`The process of ${this.name} did not close: it ended with code ${code}.`);
  }

  #nextMessage(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => {
        this.#child.off('message', onMessage);
        reject(new Error(`The process of ${this.name} ended with code ${code}.`));
      };
      const onMessage = (message: unknown) => {
        this.#child.off('exit', onExit);
        resolve(message);
      };
      this.#child.once('exit', onExit);
      this.#child.once('message', onMessage);
    });
  }
}
