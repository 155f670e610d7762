/**
 * Replies that have come and are not handed out yet.
 *
 * They are handed out when the piece of bytes in which they came has been read to its end. A reply too many, or one too few,
 * shifts all that follow: it shows where one has a form that its command cannot have, and where one is left over, and that is
 * often later in the same piece. Then none of the piece's replies is to be believed.
 */

type Hand<Outcome> = (outcome: Outcome) => void;

export class Arrivals {
  /** Receivers and their values: pairs in two lists, because an object for each would be most of the cost. */
  #hands: Hand<never>[] = [];
  #outcomes: unknown[] = [];
  /** From a connection's loss to the next one. What is read of the piece in hand meanwhile is not for anybody. */
  #isLost = false;

  /** Another connection is there. */
  begin(): void {
    this.#isLost = false;
  }

  /** The connection is lost, and what has not been handed out with it. */
  drop(): void {
    this.#isLost = true;
    this.#hands = [];
    this.#outcomes = [];
  }

  add<Outcome>(hand: Hand<Outcome>, outcome: Outcome): void {
    if (this.#isLost) return;
    // Before any other event, and before the callers of what it settles go on.
    if (this.#hands.push(hand) === 1) process.nextTick(this.#handOut);
    this.#outcomes.push(outcome);
  }

  readonly #handOut = (): void => {
    const hands = this.#hands;
    const outcomes = this.#outcomes;
    this.#hands = [];
    this.#outcomes = [];
    for (let index = 0; index < hands.length; index++) hands[index]!(outcomes[index] as never);
  };
}
