/** Just enough of an XML parser to say that a text is well-formed: W3C XML 1.0, without DTD, CDATA and comments. */

const character = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u;
const reference = /&(?:amp|lt|gt|quot|#39);/g;
const tag = /<(\/?)([a-zA-Z][\w-]*)((?:\s+[a-zA-Z][\w:-]*="[^"<]*")*)\s*(\/?)>/y;
const text = /[^<]+/y;

export interface XmlText {
  /** The names of the open elements, outermost first. */
  readonly path: readonly string[];
  /** With references resolved. */
  readonly text: string;
}

/** @returns Every piece of text. @throws {Error} The document is not well-formed. */
export function parseXml(document: string): XmlText[] {
  if (!character.test(document)) throw new Error('a character that XML does not allow');
  const pieces: XmlText[] = [];
  const path: string[] = [];
  for (let at = 0; at < document.length; ) {
    const pattern = document[at] === '<' ? tag : text;
    pattern.lastIndex = at;
    const match = pattern.exec(document);
    if (match === null) throw new Error(`not XML at ${at}: ${document.slice(at, at + 60)}`);
    at += match[0].length;
    if (pattern === text) {
      pieces.push({ path: [...path], text: resolved(match[0]) });
      continue;
    }
    const [, closing, name, attributes, selfClosing] = match;
    resolved(attributes!);
    if (closing !== '') {
      if (path.pop() !== name) throw new Error(`</${name}> closes nothing`);
    } else if (selfClosing === '') path.push(name!);
  }
  if (path.length > 0) throw new Error(`<${path.at(-1)}> is never closed`);
  return pieces;
}

function resolved(escaped: string): string {
  if (escaped.replace(reference, '').includes('&')) throw new Error('a bare &');
  const values: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };
  return escaped.replace(reference, (name) => values[name]!);
}
