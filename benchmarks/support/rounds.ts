/**
 * Timing on a shared machine: contenders in turn, many short rounds, and ratios within a round.
 *
 * Other work comes and goes on the machine, so a number of one contender says little by itself. Within one round all
 * contenders meet about the same conditions; the median of the ratios of the rounds is what is reported, with the
 * ratio's own spread (p10 to p90) beside it. The order is turned by one place each round.
 */

export interface Contender {
  readonly name: string;
  /** Does `operations` operations and resolves when they are done. Must check nothing and allocate nothing of its own. */
  run(): Promise<void> | void;
  /** Operations of one run. */
  readonly operations: number;
}

export interface Measured {
  readonly name: string;
  /** Operations per second of wall time, median of the rounds. */
  readonly perSecond: number;
  /** CPU microseconds of this process per operation, median of the rounds. */
  readonly cpuMicros: number;
  /** This contender's operations per second divided by the base's in the same round. */
  readonly ratio: { readonly median: number; readonly p10: number; readonly p90: number };
}

export interface RoundOptions {
  readonly rounds: number;
  /** Runs of each contender before anything is counted. */
  readonly warmUps: number;
}

/** @param contenders  The first one is the base of the ratios. */
export async function measure(
  contenders: readonly Contender[],
  { rounds, warmUps }: RoundOptions,
): Promise<Measured[]> {
  for (let warmUp = 0; warmUp < warmUps; warmUp++) for (const contender of contenders) await contender.run();
  const speeds = contenders.map(() => [] as number[]);
  const cpus = contenders.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (round + turn) % contenders.length;
      const contender = contenders[index]!;
      const cpuStart = process.cpuUsage();
      const startMs = performance.now();
      await contender.run();
      const elapsedMs = performance.now() - startMs;
      const cpu = process.cpuUsage(cpuStart);
      speeds[index]!.push((contender.operations / elapsedMs) * 1_000);
      cpus[index]!.push((cpu.user + cpu.system) / contender.operations);
    }
  }
  return contenders.map(({ name }, index) => {
    const ratios = speeds[index]!.map((speed, round) => speed / speeds[0]![round]!);
    return {
      name,
      perSecond: quantile(speeds[index]!, 0.5),
      cpuMicros: quantile(cpus[index]!, 0.5),
      ratio: { median: quantile(ratios, 0.5), p10: quantile(ratios, 0.1), p90: quantile(ratios, 0.9) },
    };
  });
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}

/** A heading and a row per contender. */
export function printMeasured(title: string, unit: string, measured: readonly Measured[]): void {
  console.log(`\n${title}`);
  const width = Math.max(...measured.map(({ name }) => name.length));
  for (const { name, perSecond, cpuMicros, ratio } of measured) {
    const spread = `${ratio.p10.toFixed(2)} to ${ratio.p90.toFixed(2)}`;
    console.log(
      `  ${name.padEnd(width)}  ${Math.round(perSecond).toLocaleString('en').padStart(12)} ${unit}/s` +
        `  ${cpuMicros.toFixed(3).padStart(8)} µs CPU  ${ratio.median.toFixed(2).padStart(6)}x  (${spread})`,
    );
  }
}

export function fail(message: string): never {
  throw new Error(`The benchmark's check failed: ${message}`);
}
