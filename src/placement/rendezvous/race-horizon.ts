/**
 * How far the nodes of a race list their slots before the slots that are still undecided are worked out one by one.
 *
 *   N      nodes
 *   T      horizon                                                             score
 *   p_n    1 - exp(-T * weight_n): part of the slots that node n lists
 *   cost   sum of p_n + 1.5 N * (part of the slots that stay undecided)        scores worked out, for each slot
 *
 * A score that is worked out one by one counts 1.5, by measurement. A further horizon lists more and leaves less
 * undecided. No horizon changes a table, so that the engine's own Math.exp will do here.
 */

import { firstsOf, type RowRules } from './score-rows.ts';

/** Ratio of one horizon tried to the next. Between two of them the cost differs by a few per cent. */
const step = 1.25;

/** @returns The horizon of least cost, Infinity where listing everything is as cheap. */
export function raceHorizon(weights: Float64Array, rules: RowRules): number {
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const relative = weights.map((weight) => weight / heaviest);
  const total = relative.reduce((sum, weight) => sum + weight, 0);
  let best = { horizon: Number.POSITIVE_INFINITY, cost: weights.length };
  // The first of the two costs only grows. Where it stops growing, at N, all is listed and nothing left to gain.
  for (let horizon = 1 / 4 / total, tries = 0; tries < 128; horizon *= step, tries++) {
    const listed = relative.map((weight) => 1 - Math.exp(-horizon * weight));
    const cost = listed.reduce((sum, part) => sum + part, 0);
    if (cost >= best.cost) break;
    const whole = cost + 1.5 * weights.length * undecided(listed, rules);
    if (whole < best.cost) best = { horizon, cost: whole };
  }
  return best.horizon / heaviest;
}

/** Part of the slots that have an empty place, nearly: of the two reasons for one, only the likelier is counted. */
function undecided(listed: Float64Array, rules: RowRules): number {
  const tooFewNodes = chanceOfFewer(listed, rules.width);
  if (rules.zones === undefined) return tooFewNodes;
  const unseen = new Array<number>(rules.zones.count).fill(1);
  for (const [node, part] of listed.entries()) unseen[rules.zones.zoneOf[node]!]! *= 1 - part;
  const seen = unseen.map((part) => 1 - part);
  return Math.max(tooFewNodes, chanceOfFewer(seen, firstsOf(rules)));
}

/** Chance that fewer than `wanted` of independent events happen, from the chance of each. */
function chanceOfFewer(chances: ArrayLike<number>, wanted: number): number {
  // happened[c]: chance that c of the events so far have happened.
  const happened = new Float64Array(wanted);
  happened[0] = 1;
  for (let event = 0; event < chances.length; event++) {
    const chance = chances[event]!;
    for (let count = wanted - 1; count > 0; count--) {
      happened[count] = happened[count]! * (1 - chance) + happened[count - 1]! * chance;
    }
    happened[0] = happened[0]! * (1 - chance);
  }
  return happened.reduce((sum, chance) => sum + chance, 0);
}
