/**
 * The kinds of string that keys are in an application. To the language they are all alike; to V8 each is another class of
 * object, and code that has met many of them at one place is slower there from then on.
 */

export type StringKind = (text: string) => string;

/** One object of one byte a character: what a parser or a socket gives. */
export const flat: StringKind = (text) => Buffer.from(text, 'latin1').toString('latin1');

/** The one copy of a text that is also the name of a property. */
export const internalised: StringKind = (text) => Object.keys({ [flat(text)]: 0 })[0]!;

/** A copy that was used as the name of a property and from then on only refers to that one. */
function reference(text: string): string {
  const name = internalised(text);
  const copy = flat(text);
  const table: Record<string, number> = { [name]: name.length };
  if (table[copy] !== text.length) throw new Error('A property was not found by a copy of its name.');
  return copy;
}

/** Two halves put together. From 13 characters on V8 puts off the copying until somebody reads it. */
const concatenated: StringKind = (text) => flat(text.slice(0, 5)) + flat(text.slice(5));

/** A part of a longer one. From 13 characters on it is not copied. */
const sliced: StringKind = (text) => flat(`[${text}]`).slice(1, -1);

/** Two bytes a character though one would do: a part of a text with such characters. */
const wide: StringKind = (text) => Buffer.from(text, 'utf16le').toString('utf16le');

/** One byte a character, but not ASCII. */
const accented: StringKind = (text) => flat(`é${text.slice(1)}`);

/** Letters of which each takes two bytes, also in UTF-8; digits stay. */
export const cyrillic: StringKind = (text) =>
  text.replace(/[a-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0x61 + 0x430));

/** All of them. Of texts below 13 characters, the third and fourth are flat copies. */
export const eightKinds: readonly StringKind[] = [
  flat,
  internalised,
  concatenated,
  sliced,
  reference,
  wide,
  accented,
  cyrillic,
];
