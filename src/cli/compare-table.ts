import type { ComparedColumn, ComparedPart } from '../domain/comparison.js';
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

/** Shares as block characters, of reference and current on one scale. */
export function histogram(column: ComparedColumn): string {
  if (column.counts === null) return '';
  const { bars } = rebin(column.counts.grid, column.counts.reference, column.counts.current);
  const values = bars.filter((bar) => bar.role !== 'missing');
  const perBlock = Math.ceil(values.length / HISTOGRAM_WIDTH);
  const blocks = (side: 'reference' | 'current') => {
    const shares: number[] = [];
    for (let at = 0; at < values.length; at += perBlock)
      shares.push(values.slice(at, at + perBlock).reduce((sum, bar) => sum + (bar[side] ?? 0), 0));
    return shares;
  };
  const sides = [blocks('reference'), blocks('current')];
  const tallest = Math.max(...sides.flat(), Number.MIN_VALUE);
  const draw = (share: number) =>
    share <= 0
      ? ' '
      : (BLOCKS[Math.min(BLOCKS.length - 1, Math.floor((share / tallest) * BLOCKS.length))] ?? ' ');
  return sides
    .map((shares) => shares.map(draw).join('').padEnd(HISTOGRAM_WIDTH))
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
