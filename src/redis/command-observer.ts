/** Tells the door how the commands of one node end. */

import type { Door, Observed } from '../nodes/attempt.ts';
import type { Member } from '../nodes/node.ts';
import type { CallLimits, CallObserver, CommandSpec } from '../server/index.ts';

export class CommandObserver implements CallObserver {
  readonly #door: Door;
  readonly #member: Member;
  readonly #beganMs: number | undefined;
  readonly #isExcused: ((error: unknown) => boolean) | undefined;

  /**
   * @param beganMs     Of a command that is a step of a call, on the monotonic clock. Default: where its time began.
   * @param isExcused   True for failures of the step that say nothing of the node.
   */
  constructor(door: Door, member: Member, beganMs?: number, isExcused?: (error: unknown) => boolean) {
    this.#door = door;
    this.#member = member;
    this.#beganMs = beganMs;
    this.#isExcused = isExcused;
  }

  answered(spec: CommandSpec, limits: CallLimits): void {
    this.#door.answered(this.#member, spec as CommandSpec & Observed, this.#beginOf(limits));
  }

  failed(spec: CommandSpec, limits: CallLimits, error: unknown): void {
    const isExcused = this.#isExcused?.(error);
    const { signal } = limits;
    this.#door.failed(this.#member, spec as CommandSpec & Observed, this.#beginOf(limits), error, signal, isExcused);
  }

  #beginOf({ deadlineMs, timeoutMs }: CallLimits): number {
    return this.#beganMs ?? deadlineMs - timeoutMs;
  }
}
