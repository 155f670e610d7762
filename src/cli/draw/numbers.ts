/** Numbers as text, the same on every machine whatever its locale. */

/** 262144 as `262,144`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** 3 and `node` as `3 nodes`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A share in [0, 1] as `24.98 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** A difference of shares as `+1.20 %`, `-1.20 %` or `0.00 %`. */
export function signedPercent(difference: number): string {
  const text = percent(difference);
  if (text === '-0.00 %') return '0.00 %';
  return difference > 0 && text !== '0.00 %' ? `+${text}` : text;
}

/** A factor as `1.023`. */
export function factor(value: number): string {
  return value.toFixed(3);
}

const byteUnits = ['kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes as `512 B` or `1.50 MB`, in powers of 1,000. */
export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`;
  let scaled = value / 1_000;
  let unit = 0;
  while (scaled >= 999.995 && unit < byteUnits.length - 1) {
    scaled /= 1_000;
    unit++;
  }
  return `${scaled.toFixed(2)} ${byteUnits[unit]}`;
}
