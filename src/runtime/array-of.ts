/**
 * An array of `items`, for what lives as long as a call to a node.
 *
 * V8 counts, for each place in the code with a literal of an array or an object, how many of what is made there outlive a
 * collection, and where nearly all do, makes further ones in old space (D. Clifford et al., "Memento Mori: Dynamic
 * Allocation-Site-Based Optimizations", ISMM 2015, https://doi.org/10.1145/2754169.2754181). A burst of calls at the start
 * of a process, when new space is small, looks like that. From then on each call would leave garbage in old space, which
 * keeps alive whatever it points to until the next major collection: the pauses of the others grow tenfold. Rest parameters
 * and instances of classes are not counted.
 */
export const arrayOf = <Item>(...items: Item[]): Item[] => items;
