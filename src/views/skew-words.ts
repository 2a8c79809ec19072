import type { TrainingSkew } from '../domain/training-skew.js';
import { formatCount, plural } from './format.js';
import { shorten } from './html.js';

/** Whether production is what the version was trained on, in one or two sentences. */
export function skewSentence({ status, columns, undecided, complete, rows }: TrainingSkew): string {
  const drifted = columns.filter((column) => column.status === 'drifted');
  const material = drifted.filter((column) => column.material);
  const rest = undecided === 0 ? '' : ` ${plural(undecided, 'column')} undecided.`;
  const young = complete ? '' : ' The week is not over yet.';
  if (rows === 0) return `Undecided: no row of the week is counted yet.${young}`;
  if (status === 'undecided')
    return `Undecided: no column can be told from its reference in this week.${young}`;
  if (status === 'stable')
    return `No difference is seen between training and the first week in production.${rest}${young}`;
  const names = (material.length > 0 ? material : drifted)
    .slice(0, 3)
    .map(({ feature }) => shorten(feature, 40))
    .join(', ');
  return `${formatCount(drifted.length)} of ${plural(columns.length, 'column')} differ from training, ${formatCount(material.length)} by enough to matter: ${names}.${rest}${young}`;
}
