/**
 * When, in which order and in which form the calls of a connection are given to the client.
 *
 * A call that finds the server idle is sent at once. One that does not waits for `setImmediate`, that is, until
 * everything that came in this turn of the event loop has been worked off, and then all that wait go out in one write,
 * their GETs as MGETs. With callers that come independently of each other, `process.nextTick` would find a single call.
 *
 * If the last turn brought several calls, an idle server means little: the answers to many callers came together, and
 * the first of them to ask again is not alone. So the server then counts as idle only once a lone call has been seen.
 *
 * Whether the server lets us use MGET is not known on a new connection. What follows the first MGET waits for its
 * reply, so that the GETs sent in place of a refused one still come before what was asked for after them.
 *
 * All this shows in two cases only, both of a caller that does not wait for its GET before it writes the same key. If the
 * key is of another type, and what follows replaces it, the GET may find nothing instead of WRONGTYPE, or the other way
 * round. And where one key of a later MGET turns out to be forbidden, its GETs are sent again and see what followed.
 */

import type { Clock } from '../../runtime/clock.ts';
import {
  type Client,
  type ClientCommand,
  type CommandArgument,
  type CommandClass,
  canSend,
  rawReplies,
} from '../link/client.ts';
import { isReplyError } from '../link/failure.ts';
import { isStateOfServer } from '../link/refusals.ts';
import { cleanError } from '../link/server-text.ts';
import { Arrivals } from './arrivals.ts';
import { Call, Departure } from './call.ts';
import { CoalescedWrite, coalescable } from './coalesced-write.ts';
import { Cork } from './cork.ts';
import { ReadBatch } from './read-batch.ts';
import { ReadStatistics } from './read-statistics.ts';
import { formOf, formOfGet, noRead, type ReadForm, ReplyOrder } from './reply-order.ts';
import { checkStatus, checkValue, checkValues, type ReplyCheck } from './reply-shape.ts';
import { planSendings, type Sending } from './send-plan.ts';

/** Gets the outcome of what was sent. All calls may have ended before. */
export interface OutboxListener {
  /** The client got this reply. */
  onReply(call: Call, reply: unknown): void;
  /** The client rejected with this error: a reply of the server, or the end of the connection. */
  onError(call: Call, error: Error): void;
  /** Something came that is not a reply to what was sent. Nothing that came with it or after it is passed on. */
  onViolation(reason: Error): void;
  /** Told of each command before the client gets it. */
  readonly onSending?: ((command: ClientCommand) => void) | undefined;
}

export interface OutboxOptions {
  /** Tells when calls were written. */
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Whether calls wait for each other; else each is sent at once, and all of one tick in one write. */
  readonly isBatching: boolean;
  /** Nobody else uses the client. */
  readonly isOwn: boolean;
}

/** Replies as the bytes that they are. */

function formOfSending(sending: Sending): ReadForm {
  if (!(sending instanceof Call)) return formOf('mget', sending.keys);
  // A part of a transaction changes anything: nothing may come into that.
  return sending.spec.changes === 'nothing' ? formOf(sending.spec.name, sending.args) : noRead;
}

const checkPong = checkStatus('PONG');
const ignore = () => undefined;

export class Outbox {
  readonly #client: Client;
  readonly #Command: CommandClass;
  readonly #listener: OutboxListener;
  readonly #isBatching: boolean;
  readonly #clock: Pick<Clock, 'nowMs'>;

  readonly #cork = new Cork(() => this.#depart());
  /** The departure of what was given to the stream and is not written yet. */
  #departure: Departure | undefined;
  /** Undefined where each command is written by the client itself. */
  readonly #coalesced: CoalescedWrite | undefined;
  /** True while commands that are sent go out together. */
  #isCoalescing = false;
  readonly #statistics = new ReadStatistics();
  readonly #arrivals = new Arrivals();
  readonly #order = new ReplyOrder();
  #waiting: Call[] = [];
  #isFlushScheduled = false;
  #wasLone = true;
  /** Whether the server answers MGET on the present connection. 'asked': the first one is in flight. */
  #mget: 'unknown' | 'asked' | 'allowed' | 'refused' = 'unknown';
  #trial: ReadBatch | undefined;

  constructor(client: Client, Command: CommandClass, options: OutboxOptions, listener: OutboxListener) {
    const { isBatching, isOwn, clock } = options;
    this.#clock = clock;
    const Coalescable = isOwn && isBatching ? coalescable(Command) : undefined;
    this.#client = client;
    this.#Command = Coalescable ?? Command;
    this.#coalesced = Coalescable && new CoalescedWrite();
    this.#isBatching = isBatching;
    this.#listener = listener;
  }

  /** Takes a call to send. @param isIdle  No other call is in flight. */
  post(call: Call, isIdle: boolean): void {
    if (!this.#isBatching) {
      if (this.#client.stream !== undefined) this.#cork.hold(this.#client.stream);
      this.#checkOrder(call);
      this.#send(call);
    } else if (isIdle && this.#wasLone) {
      this.#together(() => this.#send(this.#apart(call)));
    } else {
      this.#waiting.push(call);
      this.#scheduleFlush();
    }
  }

  /** A connection is there: sends what has waited for it. @param calls  All that have not been sent, in order. */
  begin(calls: Call[]): void {
    this.#arrivals.begin();
    this.#order.reset();
    this.#mget = 'unknown';
    this.#waiting = calls;
    this.#flush();
  }

  /** The connection is lost. What waits is kept by the caller, for {@link begin}. */
  drop(): void {
    this.#waiting = [];
    this.#arrivals.drop();
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    setImmediate(this.#onImmediate);
  }

  readonly #onImmediate = (): void => {
    this.#isFlushScheduled = false;
    this.#flush();
  };

  #flush(): void {
    if (this.#waiting.length === 0 || this.#isTrialOpen()) return;
    // Then the loss of the connection is about to be reported, and the waiting calls are settled.
    if (!canSend(this.#client)) return;
    const calls = this.#waiting;
    this.#waiting = [];
    this.#wasLone = calls.length === 1;
    this.#together(() => this.#sendAll(planSendings(calls, this.#maxKeys())));
  }

  /**
   * The commands that `send` sends go out in one write, at once, so that nothing comes in between. Where a client refuses
   * a command on the spot, this may lead back to here; the inner one then writes what came before it too.
   */
  #together(send: () => void): void {
    const { stream } = this.#client;
    const coalesced = this.#coalesced;
    if (coalesced === undefined) stream?.cork();
    this.#isCoalescing = true;
    try {
      send();
    } finally {
      this.#isCoalescing = false;
      if (coalesced === undefined) stream?.uncork();
      else coalesced.writeTo(stream);
      this.#depart();
    }
  }

  /** Whether what comes now has to wait for the first MGET. Nobody does whose callers have all gone: its reply may be lost. */
  #isTrialOpen(): boolean {
    if (this.#mget !== 'asked') return false;
    if (this.#trial!.calls.some(({ isOpen }) => isOpen)) return true;
    this.#mget = 'unknown';
    return false;
  }

  #maxKeys(): number {
    return this.#isBatching && this.#mget !== 'refused' ? this.#statistics.maxKeys : 1;
  }

  #sendAll(sendings: readonly Sending[]): void {
    for (let index = 0; index < sendings.length; index++) {
      const sending = index === 0 ? this.#apart(sendings[0]!) : sendings[index]!;
      if (index > 0) this.#checkOrder(sending);
      const isTrial = this.#mget === 'unknown' && !(sending instanceof Call);
      if (isTrial) {
        this.#mget = 'asked';
        this.#trial = sending;
      }
      this.#send(sending);
      if (!isTrial || this.#mget !== 'asked') continue; // The client may have refused on the spot.
      this.#waiting = sendings.slice(index + 1).flatMap((later) => (later instanceof Call ? [later] : later.calls));
      return;
    }
  }

  /** The first of several, in a form of its own beside what is in flight; see `reply-order.ts`. */
  #apart(sending: Sending): Sending {
    if (!this.#order.hasTwin(formOfSending(sending))) {
      this.#checkOrder(sending);
      return sending;
    }
    const mayBatch = this.#mget === 'allowed' && this.#maxKeys() > 1 && !this.#order.hasTwin(1);
    if (sending instanceof Call && sending.spec.coalesces === true && mayBatch) {
      const batch = new ReadBatch();
      batch.add(sending, 1);
      return batch;
    }
    this.#askForPong();
    return sending;
  }

  /** GETs that go out together are not set apart one by one: their replies come together too. */
  #checkOrder(sending: Sending): void {
    const form = formOfSending(sending);
    if (this.#order.isCheckDue(form) || (form !== formOfGet && this.#order.hasTwin(form))) this.#askForPong();
  }

  #askForPong(): void {
    for (let left = this.#order.onCheck(); left > 0; left--) {
      this.#give(this.#commandOf('ping', []), checkPong, ignore, ignore);
    }
  }

  /** A client should not throw; if one does, that must not keep others from being sent, nor end the process. */
  #send(sending: Sending): void {
    try {
      if (sending instanceof Call) this.#sendOne(sending);
      else this.#sendBatch(sending);
    } catch (error) {
      const calls = sending instanceof Call ? [sending] : sending.calls;
      for (const call of calls) this.#listener.onError(call, error as Error);
      if (!(sending instanceof Call)) this.#endTrial('unknown');
    }
  }

  #sendOne(call: Call): void {
    const command = this.#commandOf(call.spec.name, call.args);
    const isGet = call.spec.coalesces === true;
    this.#give(
      command,
      call.spec.check,
      (reply) => {
        if (isGet) this.#statistics.note(reply);
        this.#listener.onReply(call, reply);
      },
      (error) => this.#listener.onError(call, error),
    );
    // Only now: what a client refuses on the spot was not sent.
    this.#noteSent(call);
  }

  #sendBatch(batch: ReadBatch): void {
    this.#give(
      this.#commandOf('mget', batch.keys),
      checkValues,
      (reply) => this.#onBatchReply(batch, reply as (Buffer | null)[]),
      (error) => this.#onBatchError(batch, error),
    );
    for (const call of batch.calls) this.#noteSent(call);
  }

  #noteSent(call: Call): void {
    call.wasSent = true;
    this.#departure ??= new Departure();
    call.departure = this.#departure;
  }

  /** Everything sent has been written. */
  #depart(): void {
    if (this.#departure === undefined) return;
    this.#departure.atMs = this.#clock.nowMs();
    this.#departure = undefined;
  }

  #onBatchReply({ keys, calls, slots }: ReadBatch, reply: (Buffer | null)[]): void {
    this.#endTrial('allowed');
    for (const value of reply) this.#statistics.note(value);
    const isShared = calls.length > keys.length;
    const absent: Call[] = [];
    for (let index = 0; index < calls.length; index++) {
      const call = calls[index]!;
      const slot = slots[index]!;
      const value = reply[slot]!;
      if (value === null) absent.push(call);
      else this.#listener.onReply(call, value);
      // Each caller may do with its bytes what it likes.
      if (isShared && Buffer.isBuffer(value)) reply[slot] = Buffer.from(value);
    }
    this.#confirmAbsence(absent);
  }

  /**
   * Asks by GET for keys that have no value according to MGET, or a value of another type. GET tells the two apart by an
   * error. A value that it finds was written later than the call was answered, and is not for its caller.
   */
  #confirmAbsence(calls: readonly Call[]): void {
    if (calls.length === 0) return;
    this.#together(() => {
      for (const call of calls) {
        if (!call.isOpen) continue;
        this.#give(
          this.#commandOf(call.spec.name, call.args),
          checkValue,
          () => this.#listener.onReply(call, null),
          (error) => this.#listener.onError(call, error),
        );
        this.#noteSent(call);
      }
    });
  }

  #onBatchError({ calls }: ReadBatch, error: Error): void {
    if (!isReplyError(error)) {
      for (const call of calls) this.#listener.onError(call, error);
      this.#endTrial('unknown');
      return;
    }
    // MGET is not for us, or not with one of these keys, or nothing is at the moment: each GET gets its own answer.
    this.#together(() => {
      for (const call of calls) if (call.isOpen) this.#send(call);
    });
    this.#endTrial(isStateOfServer(error) ? 'unknown' : 'refused');
  }

  /**
   * Takes in what an MGET has taught, and lets go on what has waited for the first one.
   * @param outcome  'unknown': nothing was learned. 'refused' counts however many were answered before.
   */
  #endTrial(outcome: 'unknown' | 'allowed' | 'refused'): void {
    if (this.#mget === 'asked' || outcome === 'refused') this.#mget = outcome;
    if (this.#waiting.length > 0) this.#scheduleFlush();
  }

  #commandOf(name: string, args: readonly CommandArgument[]): ClientCommand {
    return new this.#Command(name, args, rawReplies);
  }

  /** Gives a command to the client, whose own promise is not used. */
  #give(
    command: ClientCommand,
    check: ReplyCheck | undefined,
    onReply: (reply: unknown) => void,
    onError: (error: Error) => void,
  ): void {
    const { resolve, reject } = command;
    command.resolve = (reply) => {
      this.#order.onAnswered();
      this.#onArrival(command, check, reply, onReply);
      return resolve(reply);
    };
    command.reject = (error) => {
      this.#order.onAnswered();
      if (isReplyError(error)) {
        this.#arrivals.add(onError, cleanError(error));
      } else {
        onError(error);
      }
      command.promise.catch(() => undefined); // Nobody waits for ioredis' own promise.
      reject(error);
    };
    this.#order.onSent(formOf(command.name, command.args));
    this.#listener.onSending?.(command);
    if (this.#isCoalescing && this.#coalesced !== undefined) this.#client.sendCommand(command, this.#coalesced);
    else this.#client.sendCommand(command);
  }

  #onArrival({ args }: ClientCommand, check: ReplyCheck | undefined, reply: unknown, hand: (reply: unknown) => void) {
    try {
      check?.(reply, args);
    } catch (error) {
      this.#listener.onViolation(error as Error);
      return;
    }
    this.#arrivals.add(hand, reply);
  }
}
