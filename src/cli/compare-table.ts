import type { ComparedColumn, ComparedPart } from '../domain/comparison.js';
import type { Profile } from '../domain/profile.js';
import { shownVerdict, verdictWords } from '../views/comparison-words.js';
import { formatPValue, NOTHING } from '../views/format.js';
import { shorten } from '../views/html.js';
import { rebin } from '../views/rebin.js';
import { amountWords, statisticWords } from '../views/sentences.js';
import { table } from './output.js';

const BLOCKS = '▁▂▃▄▅▆▇█';
const HISTOGRAM_WIDTH = 10;
const NAME_WIDTH = 32;

type Paint = (text: string) => string;
export interface Paints {
  readonly drifted: Paint;
  readonly minor: Paint;
  readonly stable: Paint;
  readonly quiet: Paint;
  readonly strong: Paint;
}

const ansi =
  (code: number): Paint =>
  (text) =>
    `\u001b[${code}m${text}\u001b[0m`;
const plain: Paint = (text) => text;

/** Colours for a terminal that has them; plain text elsewhere. */
export function paintsFor(coloured: boolean): Paints {
  return coloured
    ? { drifted: ansi(31), minor: ansi(33), stable: ansi(32), quiet: ansi(2), strong: ansi(1) }
    : { drifted: plain, minor: plain, stable: plain, quiet: plain, strong: plain };
}

function paintOf(column: ComparedColumn, paints: Paints): Paint {
  if (column.status === 'undecided') return paints.quiet;
  if (column.status === 'stable') return paints.stable;
  return column.material ? paints.drifted : paints.minor;
}

/** Rows of numbers below and above the grid, of which only that is known, and the profile without them. */
function withoutOuter(profile: Profile): { below: number; above: number; inner: Profile } {
  const last = profile.counts.length - 1;
  const inner = profile.counts.map((count, cell) => (cell === 0 || cell === last ? 0 : count));
  const shareOf = (cell: number) => (profile.rows === 0 ? 0 : (profile.counts[cell] ?? 0) / profile.rows);
  return { below: shareOf(0), above: shareOf(last), inner: { ...profile, counts: inner } };
}

/**
 * Shares as block characters, of reference and current on one scale. Numbers beyond the reference's range have an end cell of their own,
 * set off by ‹ and ›: where in the open they lie is not known.
 */
export function histogram(column: ComparedColumn): string {
  if (column.counts === null) return '';
  const { grid, reference, current } = column.counts;
  // Without cut points there is a single cell, of which nothing lies outside.
  const hasEnds = grid.kind === 'numeric' && grid.cutPoints.length > 0;
  const [before, after] = hasEnds ? [withoutOuter(reference), withoutOuter(current)] : [null, null];
  const { bars } = rebin(grid, before?.inner ?? reference, after?.inner ?? current);
  const values = bars.filter((bar) => bar.role !== 'missing');
  const perBlock = Math.ceil(values.length / HISTOGRAM_WIDTH);
  const blocks = (side: 'reference' | 'current') => {
    const shares: number[] = [];
    for (let at = 0; at < values.length; at += perBlock)
      shares.push(values.slice(at, at + perBlock).reduce((sum, bar) => sum + (bar[side] ?? 0), 0));
    return shares;
  };
  const outer = [before, after].map((ends) => ({ below: ends?.below ?? 0, above: ends?.above ?? 0 }));
  const hasBelow = outer.some(({ below }) => below > 0);
  const hasAbove = outer.some(({ above }) => above > 0);
  const sides = [blocks('reference'), blocks('current')];
  const tallest = Math.max(
    ...sides.flat(),
    ...outer.flatMap(({ below, above }) => [below, above]),
    Number.MIN_VALUE,
  );
  const draw = (share: number) =>
    share <= 0
      ? ' '
      : (BLOCKS[Math.min(BLOCKS.length - 1, Math.floor((share / tallest) * BLOCKS.length))] ?? ' ');
  return sides
    .map((shares, side) => {
      const { below = 0, above = 0 } = outer[side] ?? {};
      const inner = shares.map(draw).join('').padEnd(HISTOGRAM_WIDTH);
      return `${hasBelow ? `${draw(below)}‹` : ''}${inner}${hasAbove ? `›${draw(above)}` : ''}`;
    })
    .join(' │ ')
    .trimEnd();
}

function row(column: ComparedColumn): string[] {
  const shown = shownVerdict(column);
  const cell = (text: (verdict: NonNullable<typeof shown>) => string) =>
    shown === null || shown.statistic === null ? NOTHING : text(shown);
  return [
    shorten(column.column, NAME_WIDTH),
    column.kind,
    shown?.detector ?? NOTHING,
    cell((verdict) => statisticWords(verdict, verdict.statistic)),
    cell((verdict) => amountWords(verdict.detector, verdict.effect?.value)),
    cell((verdict) => formatPValue(verdict.adjustedPValue)),
    verdictWords(column),
    histogram(column),
  ];
}

/** One line per column, in the order of the files. */
export function columnsTable(columns: readonly ComparedColumn[], paints: Paints): string {
  const header = [
    'feature',
    'kind',
    'test',
    'statistic',
    'effect',
    'p adj.',
    'verdict',
    'reference │ current',
  ];
  const [title = '', rule = '', ...lines] = table(header, columns.map(row)).split('\n');
  const painted = lines.map((line, index) => {
    const column = columns[index];
    return column === undefined ? line : paintOf(column, paints)(line);
  });
  return [paints.strong(title), rule, ...painted].join('\n');
}

/** One line per window or segment: how many columns drifted, and which. */
export function partsTable(
  kind: 'window' | 'segment',
  parts: readonly ComparedPart[],
  paints: Paints,
): string {
  const rows = parts.map((part) => {
    const drifted = part.columns.filter((column) => column.status === 'drifted');
    const undecided = part.columns.filter((column) => column.status === 'undecided').length;
    const names = drifted
      .sort((a, b) => Number(b.material) - Number(a.material))
      .slice(0, 6)
      .map((column) => shorten(column.column, 20));
    const more = drifted.length > names.length ? ` and ${drifted.length - names.length} more` : '';
    return [shorten(part.name, 40), part.rows, drifted.length, undecided, names.join(', ') + more];
  });
  const [title = '', rule = '', ...lines] = table(
    [kind, 'rows', 'drifted', 'undecided', 'which'],
    rows,
  ).split('\n');
  const painted = lines.map((line, index) => (rows[index]?.[2] === 0 ? line : paints.minor(line)));
  return [paints.strong(title), rule, ...painted].join('\n');
}
