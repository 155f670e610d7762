/**
 * A ring as one self-contained SVG: the ring itself outside, the shares inside it, the legend beside. Opened in a browser,
 * every arc shows its node and positions when pointed at.
 *
 * It brings its own ground, light or dark as the reader's system is, so that it can be read on any page. Ids are
 * untrusted: they come in as text only, with what XML forbids written out.
 */

import { count, counted, factor, percent } from './numbers.ts';
import { colourOf } from './palette.ts';
import type { RingModel } from './ring-model.ts';
import { type Band, movedArcs, ringArcs, shareArcs, shownArcs } from './svg-arcs.ts';
import { fit, visible } from './visible-text.ts';

/** Lengths are in units of the view box. */
const centre = 310;
const ringBand: Band = { centre, inner: 190, outer: 250 };
const shareBand: Band = { centre, inner: 138, outer: 170 };
const movedBand: Band = { centre, inner: 256, outer: 268 };
const pictureSize = 2 * centre;

const rowHeight = 28;
const legendLeft = 660;
const margin = 30;
const zoneWidth = 90;
const barLeft = 370;
const barWidth = 100;
const maxRows = 32;

const style = `
.ground { fill: #ffffff; stroke: #d0d7de; }
.text { fill: #1f2328; }
.faint { fill: #656d76; }
.line { stroke: #656d76; }
.track { stroke: #eaeef2; }
.row { fill: #eaeef2; }
@media (prefers-color-scheme: dark) {
  .ground { fill: #0d1117; stroke: #30363d; }
  .text { fill: #e6edf3; }
  .faint { fill: #9198a1; }
  .line { stroke: #9198a1; }
  .track { stroke: #21262d; }
  .row { fill: #21262d; }
}`;

export function ringSvg(model: RingModel): string {
  const rows = Math.min(model.nodes.length, maxRows);
  const zoned = model.nodes.some(({ zone }) => zone !== undefined);
  const legendHeight = (rows + (rows < model.nodes.length ? 1 : 0) + 4) * rowHeight;
  const width = legendLeft + (zoned ? zoneWidth : 0) + barLeft + barWidth + margin;
  const height = Math.max(pictureSize, legendHeight + 2 * rowHeight);
  const { arcs, note } = shownArcs(model);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"` +
      ' font-family="system-ui, -apple-system, \'Segoe UI\', \'DejaVu Sans\', sans-serif" font-size="15">',
    `<title>${xml(`Hash ring of ${counted(model.nodes.length, 'node')}`)}</title>`,
    `<desc>${xml(`${summary(model)} ${note}`)}</desc>`,
    `<style>${style}\n</style>`,
    `<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="12"/>`,
    `<g transform="translate(0 ${(height - pictureSize) / 2})">`,
    ...ringArcs(model, arcs, ringBand, xml),
    ...shareArcs(model, shareBand, xml),
    ...(model.moved === undefined ? [] : movedArcs(model, model.moved, movedBand, xml)),
    ...scale(model.moved === undefined ? ringBand.outer : movedBand.outer),
    ...caption(model),
    '</g>',
    `<g transform="translate(${legendLeft} ${(height - legendHeight) / 2 + rowHeight / 2})">`,
    ...legend(model, rows, zoned),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Text for an XML element or attribute. */
export function xml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return visible(text).replace(/[&<>"']/g, (char) => entities[char]!);
}

function summary({ virtualNodes, slots, hashSeed, checksum }: RingModel): string {
  return (
    `${count(virtualNodes)} virtual nodes on ${count(slots)} slots, hash seed ${hashSeed}, checksum ${checksum}. ` +
    'Position 0 is at the top, positions grow clockwise. Outside the ring, inside the share of each node.'
  );
}

/** Quarters of the position space, as small marks outside the ring. */
function scale(radius: number): string[] {
  const quarters = [
    { label: '0', x: 0, y: -1, anchor: 'middle', dy: -6 },
    { label: '2³⁰', x: 1, y: 0, anchor: 'start', dy: 5 },
    { label: '2³¹', x: 0, y: 1, anchor: 'middle', dy: 16 },
    { label: '3·2³⁰', x: -1, y: 0, anchor: 'end', dy: 5 },
  ];
  return quarters.flatMap(({ label, x, y, anchor, dy }) => {
    const at = (distance: number, direction: number) => centre + direction * (radius + distance);
    return [
      `<line class="line" x1="${at(2, x)}" y1="${at(2, y)}" x2="${at(8, x)}" y2="${at(8, y)}"/>`,
      `<text class="faint" x="${at(11, x)}" y="${at(8, y) + dy}" text-anchor="${anchor}" font-size="12">${label}</text>`,
    ];
  });
}

function caption({ nodes, virtualNodes, slots }: RingModel): string[] {
  return [
    `<text class="text" x="${centre}" y="${centre - 6}" text-anchor="middle" font-size="34" font-weight="600">${counted(nodes.length, 'node')}</text>`,
    `<text class="faint" x="${centre}" y="${centre + 22}" text-anchor="middle">${count(virtualNodes)} virtual nodes</text>`,
    `<text class="faint" x="${centre}" y="${centre + 44}" text-anchor="middle">${count(slots)} slots</text>`,
  ];
}

function legend(model: RingModel, rows: number, zoned: boolean): string[] {
  const shift = zoned ? zoneWidth : 0;
  const at = { id: 28, weight: 190, zone: 210, share: 270 + shift, ideal: 350 + shift, bar: barLeft + shift };
  const y = (row: number) => row * rowHeight;
  const text = (x: number, row: number, value: string, kind = 'text', anchor = 'start') =>
    `<text class="${kind}" x="${x}" y="${y(row)}" text-anchor="${anchor}">${xml(value)}</text>`;
  const longest = Math.max(...model.nodes.map(({ share, ideal }) => Math.max(share, ideal)));
  const titles = [
    text(at.id, 1, 'node', 'faint'),
    text(at.weight, 1, 'weight', 'faint', 'end'),
    ...(zoned ? [text(at.zone, 1, 'zone', 'faint')] : []),
    text(at.share, 1, 'share', 'faint', 'end'),
    text(at.ideal, 1, 'ideal', 'faint', 'end'),
  ];
  const lines = model.nodes.slice(0, rows).flatMap(({ id, weight, zone, share, ideal, ratio }, index) => {
    const row = index + 2;
    const top = y(row) - 13;
    const idealX = at.bar + Math.round((ideal / longest) * barWidth);
    return [
      '<g>',
      `<title>${xml(`${id}: ${factor(ratio)} times its ideal share`)}</title>`,
      `<rect x="0" y="${top}" width="16" height="16" rx="3" fill="${colourOf(index)}"/>`,
      text(at.id, row, fit(visible(id), 15)),
      text(at.weight, row, String(weight), 'text', 'end'),
      ...(zoned ? [text(at.zone, row, fit(visible(zone ?? '-'), 10))] : []),
      text(at.share, row, percent(share), 'text', 'end'),
      text(at.ideal, row, percent(ideal), 'faint', 'end'),
      `<rect class="row" x="${at.bar}" y="${top}" width="${barWidth}" height="16" rx="3"/>`,
      `<rect x="${at.bar}" y="${top}" width="${Math.round((share / longest) * barWidth)}" height="16" rx="3" fill="${colourOf(index)}"/>`,
      `<line class="line" x1="${idealX}" y1="${top - 3}" x2="${idealX}" y2="${top + 19}" stroke-width="1.5"/>`,
      '</g>',
    ];
  });
  const last = rows + 2;
  const rest = model.nodes.length - rows;
  const { fullest, emptiest, variation } = model.balance;
  return [
    ...titles,
    ...lines,
    ...(rest === 0 ? [] : [text(at.id, last, `and ${counted(rest, 'more node')}: point at the ring`, 'faint')]),
    text(
      0,
      last + (rest === 0 ? 0.5 : 1.5),
      `Fullest ${factor(fullest)} times its ideal share, emptiest ${factor(emptiest)},`,
      'faint',
    ),
    text(0, last + (rest === 0 ? 1.25 : 2.25), `coefficient of variation ${percent(variation)}`, 'faint'),
  ];
}
