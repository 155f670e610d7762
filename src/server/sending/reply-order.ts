/**
 * Whether replies are still in step with commands. Pure.
 *
 * RESP pairs them by their order alone, so a reply too many or too few gives every later command its neighbour's. That shows
 * where one gets a reply of a form that it cannot have; among reads of the same form it would never show. So these are kept
 * apart:
 *
 * - A read whose reply has the form of one that is still due is sent in another form, or with a PING between them.
 * - Reads that come one after the other have none due before them. Before every 64th goes a PING.
 *
 * If a read and the next one are lost, the PINGs between them stand for their replies, and every later read would wait for
 * the reply of its successor. So one or two PINGs are sent, in an order that never repeats itself.
 *
 * A PING costs about a tenth of a read. With some before each read nothing could slip through, and every read would be slower.
 */

/** 0 for a GET, the length of its array for an MGET, -1 for any other command. */
export type ReadForm = number;

export const formOfGet = 0;
export const noRead = -1;

export function formOf(name: string, args: { readonly length: number }): ReadForm {
  if (name === 'get') return formOfGet;
  return name === 'mget' ? args.length : noRead;
}

const readsPerCheck = 64;

/** Commands are numbered as they are sent, from 1 on. */
export class ReplyOrder {
  /** The number of the newest command. */
  #sent = 0;
  /** The number of the newest command that was answered. */
  #answered = 0;
  /** The number of the newest command before the last check. */
  #checked = 0;
  /** The number of the newest read of each form. */
  readonly #newest = new Map<ReadForm, number>();
  #readsSinceCheck = 0;
  #checks = 0;

  /** A command was given to the client. */
  onSent(form: ReadForm): void {
    this.#sent++;
    if (form === noRead) return;
    this.#newest.set(form, this.#sent);
    this.#readsSinceCheck++;
  }

  onAnswered(): void {
    this.#answered++;
  }

  /** A new connection. */
  reset(): void {
    this.#sent = 0;
    this.#answered = 0;
    this.#checked = 0;
    this.#newest.clear();
    this.#readsSinceCheck = 0;
  }

  /** Whether the reply to a read of this form could be taken for that of one before it. */
  hasTwin(form: ReadForm): boolean {
    const newest = this.#newest.get(form);
    return newest !== undefined && newest > this.#answered && newest > this.#checked;
  }

  /** Whether it is time for a PING before a read of this form. */
  isCheckDue(form: ReadForm): boolean {
    return form !== noRead && this.#readsSinceCheck >= readsPerCheck;
  }

  /** A check is about to be sent. @returns Of how many PINGs: the Thue-Morse sequence, which no shift of it is like for long. */
  onCheck(): number {
    this.#readsSinceCheck = 0;
    this.#checked = this.#sent;
    let pings = 1;
    for (let bits = this.#checks++; bits !== 0; bits &= bits - 1) pings = 3 - pings;
    return pings;
  }
}
