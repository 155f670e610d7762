/**
 * Text that was written by others, made fit to be shown: ids and zones are any string, and one with an escape sequence
 * in it must not drive the terminal, nor one with a reversed direction lie about its neighbours.
 */

/**
 * Controls, format characters (direction marks among them), line separators, surrogates and what is no character. Only
 * the joiner that holds an emoji of several parts together is left where it is.
 */
const unshowable =
  /(?!(?<=\p{Extended_Pictographic}\uFE0F?|\p{Emoji_Modifier})\u200D)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/gu;

/** The text with everything that cannot be seen written out, as `\u{1b}`. */
export function visible(text: string): string {
  return text.replace(unshowable, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Emoji, and the blocks of East Asian scripts that terminals draw two cells wide (Unicode Annex 11, classes W and F). */
const wide =
  /\p{Emoji_Presentation}|\uFE0F|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u;

const cellsOf = (grapheme: string) => (wide.test(grapheme) ? 2 : /^[\p{M}\p{Cf}]+$/u.test(grapheme) ? 0 : 1);

/** Cells that visible text takes in a terminal. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += cellsOf(segment);
  return width;
}

/** The text, cut with an ellipsis where it takes more than `maxWidth` cells. */
export function fit(text: string, maxWidth: number): string {
  if (displayWidth(text) <= maxWidth) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += cellsOf(segment);
    if (width >= maxWidth) break;
    kept += segment;
  }
  return `${kept}…`;
}
