/** The bytes of RESP that are no content: the types that begin an element, and the end of a line. */

export const type = {
  ...{ simple: 0x2b, error: 0x2d, integer: 0x3a, bulk: 0x24, array: 0x2a },
  ...{ null: 0x5f, boolean: 0x23, double: 0x2c, bigNumber: 0x28, bulkError: 0x21, verbatim: 0x3d },
  ...{ map: 0x25, set: 0x7e, attribute: 0x7c, push: 0x3e },
} as const;

export const [lineFeed, carriageReturn, minus, zero, nine] = [0x0a, 0x0d, 0x2d, 0x30, 0x39];
