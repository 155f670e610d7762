/** Step: the ring as it is. */

import { ringModel } from '../../../src/cli/draw/ring-model.ts';
import { drawRing } from '../../../src/cli/draw/terminal.ts';
import { reportWidth } from '../output/report.ts';
import { ringOf, type TourContext } from './tour-context.ts';

export async function drawStep({ cache, report }: TourContext): Promise<void> {
  report.step('The ring');
  const colourDepth = report.painter.depth;
  report.lines(drawRing(ringModel(ringOf(cache)), { colourDepth, width: reportWidth - 2 }).trimEnd());
}
