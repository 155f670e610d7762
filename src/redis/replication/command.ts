import type { CommandArgument } from '../../server/index.ts';
/** A command for one node. */

export type Args = readonly CommandArgument[];

export interface PlainCommand {
  /** In lower case. */
  readonly name: string;
  readonly args: Args;
}

/** An integer as Redis reads one, without a sign unless it is below 0; undefined if it is none, or of 16 digits and more. */
export function integerIn(argument: CommandArgument | undefined): bigint | undefined {
  const text = String(argument);
  return /^(?:0|-?[1-9]\d{0,14})$/.test(text) ? BigInt(text) : undefined;
}
