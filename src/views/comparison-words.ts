import type { ComparedColumn, Comparison } from '../domain/comparison.js';
import type { Verdict } from '../domain/verdict.js';
import { formatCount, formatNumber, formatPercent, plural } from './format.js';

export function verdictWords(column: Pick<ComparedColumn, 'status' | 'material'>): string {
  return column.status === 'drifted' && !column.material ? 'drifted, small' : column.status;
}

/** The verdict that a row shows: the worst drifted one, else the one about the shape. */
export function shownVerdict(column: ComparedColumn): Verdict | null {
  const drifted = column.verdicts
    .filter((verdict) => verdict.role === 'primary' && verdict.status === 'drifted')
    .sort(
      (a, b) => Number(b.material) - Number(a.material) || (a.adjustedPValue ?? 1) - (b.adjustedPValue ?? 1),
    );
  return drifted[0] ?? column.primary;
}

/** The whole answer in one sentence. */
export function summarySentence({ columns, dataset, level, together }: Comparison): string {
  const material = columns.filter((column) => column.material).length;
  const undecided = dataset.undecided === 0 ? '' : `, ${dataset.undecided} undecided`;
  if (dataset.status === 'undecided')
    return `Undecided: none of ${plural(columns.length, 'column')} could be compared.`;
  if (dataset.status === 'stable')
    return `No drift in ${plural(columns.length - dataset.undecided, 'column')}${undecided} (level ${formatPercent(level)} for all together).`;
  const also = together?.verdict.status === 'drifted' ? ', and in how columns go together' : '';
  return `Drift in ${formatCount(dataset.drifted)} of ${plural(columns.length, 'column')}, in ${formatNumber(material)} by enough to matter${also}${undecided} (level ${formatPercent(level)} for all together).`;
}

/** How many windows or segments drifted; null where there are none. */
export function partsSentence(
  { windows, segments, level }: Pick<Comparison, 'windows' | 'segments' | 'level'>,
  drifted: number,
): string | null {
  const [kind, parts] = windows === null ? ['segment', segments?.parts] : ['window', windows.parts];
  if (parts === undefined || parts.length === 0) return null;
  return `Drift in ${formatCount(drifted)} of ${plural(parts.length, kind)} (level ${formatPercent(level)} for all of them together).`;
}
