/**
 * A process that is held up before real servers, by order and not by speed: time is simulated and passes only here, so that
 * neither a busy machine nor a slow server uses any of it up.
 *
 * While the process is held up, for real, the servers answer all that has reached them; their answers are read afterwards.
 */

import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { TickingLoopWatch } from '../../src/runtime/loop-watch.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Only what never ends is to fail: a busy machine may take its time. Milliseconds of real time. */
const patienceMs = 60_000;

/** Turns of the event loop within which whatever is waited for must end. */
const mostTurns = 10_000;

/** Longer than Node.js waits with a timer of 0 ms, which is 1 ms. */
const realTurnMs = 2;

export class StalledProcess implements Clock {
  readonly loop = new TickingLoopWatch(this);
  readonly #servers: ServersAtWork;
  readonly #timers = new Set<Timer>();
  #nowMs = 0;

  private constructor(servers: ServersAtWork) {
    this.#servers = servers;
  }

  /** @param ports  Of the servers on this machine that answer meanwhile. */
  static async before(ports: readonly number[]): Promise<StalledProcess> {
    return new StalledProcess(await ServersAtWork.of(ports));
  }

  /** Another process before the same servers, whose time begins: what it does depends on no earlier one. */
  again(): StalledProcess {
    return new StalledProcess(this.#servers);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return systemClock.wallMs();
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /**
   * The process is held up for so long, once for each length. After each the event loop comes round once: timers that are due
   * fire, then the sockets are read.
   */
  async stalls(...lengthsMs: readonly number[]): Promise<void> {
    for (const ms of lengthsMs) await this.#turn(ms, true);
  }

  /** The same while the servers answer nothing. */
  async stallsAlone(...lengthsMs: readonly number[]): Promise<void> {
    for (const ms of lengthsMs) await this.#turn(ms, false);
  }

  /** Nobody is held up any more: lets time pass in turns of 5 ms until `work` has settled. */
  async settled<Result>(work: Promise<Result>): Promise<Result> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    work.then(over, over);
    for (let turns = 0; !isOver; turns++) {
      if (turns > mostTurns) throw new Error(`It has not ended within ${mostTurns} turns of the event loop.`);
      await this.stalls(5);
    }
    return work;
  }

  stop(): Promise<unknown> {
    return this.#servers.stop();
  }

  async #turn(ms: number, serversAnswer: boolean): Promise<void> {
    // As soon as the event loop comes round, before it reads the sockets.
    setTimeout(() => this.#fire(), 0);
    if (serversAnswer) this.#servers.answerAll();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, realTurnMs);
    this.#nowMs += ms;
    await turn();
  }

  /** Those that are due by now; what they set anew comes later. */
  #fire(): void {
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= this.#nowMs).sort((a, b) => a.dueMs - b.dueMs);
    for (const timer of due) {
      if (this.#timers.delete(timer)) timer.callback();
    }
  }
}

/** A thread that sees to it that the servers have answered, while this one does nothing. */
class ServersAtWork {
  readonly #worker: Worker;
  readonly #rounds: Int32Array;

  private constructor(worker: Worker, rounds: Int32Array) {
    this.#worker = worker;
    this.#rounds = rounds;
  }

  static async of(ports: readonly number[]): Promise<ServersAtWork> {
    const rounds = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(source, { eval: true, workerData: { ports, rounds } });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    return new ServersAtWork(worker, rounds);
  }

  /** Returns when every server has answered what was sent to it before. */
  answerAll(): void {
    const before = Atomics.load(this.#rounds, 0);
    this.#worker.postMessage('round');
    const outcome = Atomics.wait(this.#rounds, 0, before, patienceMs);
    if (outcome === 'timed-out') throw new Error(`The servers did not answer within ${patienceMs} ms.`);
  }

  stop(): Promise<unknown> {
    return this.#worker.terminate();
  }
}

/**
 * A server does one thing after the other, so what came before a PING is answered before it, and what came on a connection
 * that it has yet to accept, before the next one.
 */
const source = `
  const { connect } = require('node:net');
  const { parentPort, workerData: { ports, rounds } } = require('node:worker_threads');
  const sockets = ports.map((port) => connect(port, '127.0.0.1'));
  const heard = (socket) => new Promise((resolve) => socket.once('data', resolve));
  const ping = async (socket) => {
    for (let count = 0; count < 3; count++) {
      socket.write('PING\\r\\n');
      await heard(socket);
    }
  };
  parentPort.on('message', async () => {
    await Promise.all(sockets.map(ping));
    Atomics.add(rounds, 0, 1);
    Atomics.notify(rounds, 0);
  });
  Promise.all(sockets.map(ping)).then(() => parentPort.postMessage('ready'));
`;
