/** Small sums over samples. */

/** The value below which a part of the values lies. @param part  In [0, 1]. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

export const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Coefficient of variation: the standard deviation over the mean. */
export function variation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2))) / centre;
}

/** The greatest over the mean. */
export const peak = (values: readonly number[]) => Math.max(...values) / mean(values);
