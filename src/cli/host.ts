/** The outside world of a command. `main.ts` passes the process, tests pass their own. */
export interface Host {
  /** The text of a file; `-` is the standard input. */
  readonly readText: (path: string) => Promise<string>;
  readonly writeText: (path: string, text: string) => Promise<void>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True if the standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Width of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
}

/** One command: what `--help` says of it, and what it does. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  /**
   * @param args  What follows the command's name.
   * @returns     Text for the standard output.
   * @throws {UsageError | InvalidArgumentError}  The arguments cannot be used.
   */
  readonly run: (args: readonly string[], host: Host) => Promise<string>;
}
