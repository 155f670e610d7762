/** From the bytes of a trace to its requests. The format is told by the first line. */

import { arcFormat } from './arc.ts';
import { linesOf } from './lines.ts';
import { quoted, type TraceFormat, TraceFormatError, type TraceRequest } from './trace-request.ts';
import { twitterFormat } from './twitter.ts';

const formats: readonly TraceFormat[] = [arcFormat, twitterFormat];

/** Pure: reads only what is asked for. @throws {TraceFormatError} At the first line that is not of the format. */
export async function* requestsOf(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  source: string,
): AsyncGenerator<TraceRequest, void, undefined> {
  let format: TraceFormat | undefined;
  for await (const { firstNumber, lines } of linesOf(bytes, source)) {
    for (let index = 0; index < lines.length; index++) {
      const line = lines[index]!;
      format ??= formatOf(line, source);
      const parsed = format.parse(line);
      if ('problem' in parsed) throw new TraceFormatError(source, firstNumber + index, parsed.problem);
      yield* parsed.requests;
    }
  }
}

function formatOf(firstLine: string, source: string): TraceFormat {
  const format = formats.find(({ parse }) => 'requests' in parse(firstLine));
  if (format !== undefined) return format;
  const expected = formats.map(({ name, shape }) => `${shape} (${name})`).join(' or ');
  throw new TraceFormatError(source, 1, `expected ${expected}, got ${quoted(firstLine)}`);
}
