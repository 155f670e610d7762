/**
 * Slots for each node in proportion to the weights, in whole numbers.
 *
 * Source: the method of Webster and Sainte-Lague; M. L. Balinski, H. P. Young, "Fair Representation: Meeting the Ideal of
 * One Man, One Vote", Yale University Press, 1982.
 *
 *   S         slots to share out
 *   N         nodes
 *   w_i, W    weight of node i, and the sum of all
 *   q_i       ideal: S * w_i / W, seldom a whole number
 *   n_i       slots of node i; their sum is S
 *
 * Node i bids w_i / (2n + 1) for its slot n, n = 0, 1, 2, ...; the S highest bids of all get a slot each, of equal bids that
 * of the first node. A bid depends on its own node alone. Therefore no node gains where another joins or grows, and none
 * loses where another leaves or shrinks. That is what keeps every move between two other nodes from being needed. The
 * method of largest remainders does not have this property, and Balinski and Young proved that none has that also keeps
 * every n_i within one slot of q_i.
 *
 * How near: |n_i - q_i| <= 1/2 + q_i * N / (2S). So with equal weights, or for any node not above the mean, within one slot;
 * for a node of r times the mean within (1 + r) / 2 slots, which is at most N / S of what it has.
 */

const tinyWeight = 2 ** -500;

/**
 * @param weights  Finite numbers above 0, in an order that the change of one node does not disturb.
 * @param slots    Integer above 0.
 * @returns        n_i. All 0 only where there are no weights.
 */
export function apportion(weights: readonly number[], slots: number): number[] {
  if (weights.length === 0) return [];
  const heaviest = weights.reduce((a, b) => Math.max(a, b));
  // Quotients of the smallest doubles there are would all be 0. A factor of a power of two changes no comparison.
  if (heaviest < tinyWeight) {
    return apportion(
      weights.map((weight) => weight / tinyWeight),
      slots,
    );
  }
  // The lowest bid that wins lies in (low, high]: the heaviest node alone has S bids above `low`, and no bid is above its
  // first. Halved until no double lies between, which takes about 53 + log2(2S) steps.
  let low = heaviest / (2 * slots);
  let high = heaviest;
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (weights.reduce((sum, weight) => sum + bidsAbove(weight, middle, slots), 0) >= slots) low = middle;
    else high = middle;
  }
  const counts = weights.map((weight) => bidsAbove(weight, high, slots));
  let left = slots - counts.reduce((sum, count) => sum + count, 0);
  // The rest goes to bids of exactly `high`.
  return counts.map((count, index) => {
    const more = Math.min(left, bidsAbove(weights[index]!, low, slots) - count);
    left -= more;
    return count + more;
  });
}

/** Bids of a node that are above `bound`, at most `slots`. */
function bidsAbove(weight: number, bound: number, slots: number): number {
  let count = Math.min(slots, Math.max(0, Math.floor((weight / bound + 1) / 2)));
  // The quotient above is rounded, the bid itself decides.
  while (count > 0 && weight / (2 * count - 1) <= bound) count--;
  while (count < slots && weight / (2 * count + 1) > bound) count++;
  return count;
}

/**
 * How many slots each node gives, where `count` are wanted: the fullest give first, until all that give are level.
 *
 * @param surplus  Slots that each node has above what it ought to have, negative where it has fewer. Integers with a sum of
 *                 at least `count`.
 * @returns        Integers, none above the node's surplus, with a sum of `count`.
 */
export function levelOff(surplus: readonly number[], count: number): number[] {
  const above = (level: number) => surplus.reduce((sum, has) => sum + Math.max(0, has - level), 0);
  // The lowest level at which they give no more than `count`.
  let level = 0;
  for (let high = surplus.reduce((a, b) => Math.max(a, b), 0); level < high; ) {
    const middle = Math.floor((level + high) / 2);
    if (above(middle) <= count) high = middle;
    else level = middle + 1;
  }
  let left = count - above(level);
  return surplus.map((has) => {
    const more = left > 0 && level > 0 && has >= level ? 1 : 0;
    left -= more;
    return Math.max(0, has - level) + more;
  });
}
