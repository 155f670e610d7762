/** The node lists of the golden vectors: 1, 3, 10 and 40 nodes, equal and weighted, on default and other ports. */

export interface GoldenNode {
  readonly id: string;
  readonly weight?: number;
}

const list = (count: number, id: (index: number) => string, weight?: (index: number) => number): GoldenNode[] =>
  Array.from({ length: count }, (_, index) =>
    weight === undefined ? { id: id(index) } : { id: id(index), weight: weight(index) },
  );

export const onDefaultPort = (count: number) => list(count, (index) => `10.0.1.${index + 1}:11211`);
export const onOtherPorts = (count: number) => list(count, (index) => `c${index}.example:${11311 + (index % 7)}`);

/** Integers in odd ratios: 1, 3, 7, 10, 13, 2 and so on. */
export const oddWeights = (nodes: readonly GoldenNode[]): GoldenNode[] =>
  nodes.map(({ id }, index) => ({ id, weight: [1, 3, 7, 10, 13, 2, 5, 100, 17, 9][index % 10]! }));

/** Small squares: at 14 nodes some counts differ between single and double precision. */
export const squareWeights = (nodes: readonly GoldenNode[]): GoldenNode[] =>
  nodes.map(({ id }, index) => ({ id, weight: 1 + ((index * index) % 7) }));

/** So uneven that some nodes are left without a point. */
export const starvingWeights = (nodes: readonly GoldenNode[]): GoldenNode[] =>
  nodes.map(({ id }, index) => ({ id, weight: index % 3 === 0 ? 1 : 1000 + index }));

/** Seven weights whose sum, and with it a count, depends on the order in which they are added. */
export const unevenSum: readonly GoldenNode[] = [0.7, 0.9, 1.2, 0.1, 1.2, 1.3, 1.6].map((weight, index) => ({
  id: `shard-${index}`,
  weight,
}));

/** Fractions whose sum and quotients are rounded at every step. */
export const fractionalWeights = (nodes: readonly GoldenNode[]): GoldenNode[] =>
  nodes.map(({ id }, index) => ({ id, weight: [0.1, 0.7, 1 / 3, 2.5, 1.1, 0.3, 3.14159][index % 7]! }));
