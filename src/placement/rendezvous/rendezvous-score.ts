/**
 * The score of a node for a key or a slot, by weighted rendezvous hashing: the node of the lowest score is the owner,
 * that of the second lowest the first replica, and so on.
 *
 * Sources: D. G. Thaler, C. V. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM Transactions on
 * Networking 6(1), 1998, doi:10.1109/90.663936 (rendezvous, or highest random weight). C. Schindelhauer, G. Schomaker,
 * "Weighted distributed hash tables", SPAA 2005, doi:10.1145/1073970.1074008 (the logarithmic method for weights).
 *
 *   h1, h2   of the node, see `../node-hashes.ts`, as for the points of a ring   32 bits each
 *   x        hash of what is placed: a key's position, or a slot's number                         32 bits
 *   bits     fmix32(fmix32(x + h1) ^ h2)                                                          32 bits
 *   score    exponential(bits) / weight, see `exponential.ts`
 *
 * A score is a draw from the exponential distribution of rate `weight`, and the least of such draws is node n's with
 * probability weight(n) / (sum of the weights): exactly, whatever the weights. A score depends on its own node alone,
 * so a node that comes, goes or changes its weight changes the order of no two others. Where two scores are equal, the
 * node whose id sorts first goes first.
 */

import { fmix32 } from '../../hash/fmix32.ts';
import { exponential } from './exponential.ts';

/**
 * The score of a node; the lowest wins.
 *
 * @param slotHash  32 bits that stand for what is placed, signed or unsigned.
 * @param h1        Of the node, from `nodeHashes`, signed or unsigned; `h2` likewise.
 * @param weight    A finite number above 0.
 */
export function rendezvousScore(slotHash: number, h1: number, h2: number, weight: number): number {
  return exponential(rendezvousBits(slotHash, h1, h2)) / weight;
}

/** The draw behind a score, signed: among equal weights, the higher `>>> 0` of it, the lower the score. */
export function rendezvousBits(slotHash: number, h1: number, h2: number): number {
  return fmix32(fmix32(slotHash + h1) ^ h2);
}
