/**
 * The exponential variate of 32 random bits, to the same bits on every engine and in every language.
 *
 *   u = (bits + 1/2) / 2^32     in (0, 1), exact in a double
 *   exponential = -ln(u)        in (0, 23), strictly falling as `bits` grows
 *
 * ECMAScript leaves the last digits of Math.log to the engine, and a last digit can decide who owns a key. So the
 * logarithm is worked out here, in doubles (IEEE 754, binary64, to nearest) with nothing but + - * /, in this order:
 *
 *   v = bits + 1/2 = m * 2^e               m in [1, 2); where m > sqrt2: m = m / 2 and e = e + 1
 *   z = (m - 1) / (m + 1)                  |z| < 0.172
 *   p = 1 + q(1/3 + q(1/5 + ... q(1/17)))  q = z * z; Horner's scheme, every 1/n a rounded quotient
 *   -ln(u) = (32 - e) * ln2 - (2 * z) * p  ln2 = 0.6931471805599453, sqrt2 = 1.4142135623730951
 *
 * since ln(m) = 2 atanh(z). What the series leaves out is below 1e-15 of it. Neighbouring values differ by about 2^-32
 * or more, and the rounding by less than 2^-45, so that the order of two values is the order of their bits, reversed;
 * that was checked for all 2^32 of them. A program in a language whose compiler may fuse a product and a sum has to
 * forbid it that.
 */

const ln2 = Math.LN2;
const squareRootOf2 = Math.SQRT2;

/** 2^(clz - 31) for clz from 0 to 32: what brings v = bits + 1/2 into [1, 2), where bits has `clz` leading zeros. */
const scales = Float64Array.from({ length: 33 }, (_, clz) => (clz === 32 ? 2 : 1 / 2 ** (31 - clz)));

/** @param bits  32 random bits, signed or unsigned. */
export function exponential(bits: number): number {
  const leadingZeros = Math.clz32(bits);
  let m = ((bits >>> 0) + 0.5) * scales[leadingZeros]!;
  let halvings = leadingZeros + 1;
  if (m > squareRootOf2) {
    m *= 0.5;
    halvings--;
  }
  const z = (m - 1) / (m + 1);
  const q = z * z;
  const p =
    1 +
    q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11 + q * (1 / 13 + q * (1 / 15 + q * (1 / 17))))))));
  return halvings * ln2 - 2 * z * p;
}
