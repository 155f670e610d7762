/** Options as a table: for each name, what may stand there and what stands there by default. All are read at once. */

import { expectBoolean, expectInteger, expectOneOf } from './validate.ts';

/** @param field  Where the value stood, for errors. @param given  Undefined: the default is wanted. */
type Check<Value> = (field: string, given: unknown) => Value;

type Table = Readonly<Record<string, Check<unknown>>>;

export type ParsedBy<Checks extends Table> = { readonly [Name in keyof Checks]: ReturnType<Checks[Name]> };

/** @param place  Before each name, in errors. @throws {InvalidArgumentError} Names the field, what was expected and what came. */
export function parseTable<Checks extends Table>(
  checks: Checks,
  given: Readonly<Record<string, unknown>>,
  place = '',
): ParsedBy<Checks> {
  const parsed = Object.entries(checks).map(([name, check]) => [name, check(place + name, given[name])]);
  return Object.fromEntries(parsed) as ParsedBy<Checks>;
}

export const integer =
  (fallback: number, min: number, max?: number): Check<number> =>
  (field, given) =>
    expectInteger(field, given ?? fallback, min, max);

export const flag =
  (fallback: boolean): Check<boolean> =>
  (field, given) =>
    expectBoolean(field, given ?? fallback);

/** The first one is the default. */
export const oneOf =
  <const Choices extends readonly string[]>(...choices: Choices): Check<Choices[number]> =>
  (field, given) =>
    expectOneOf(field, given ?? choices[0], choices);
