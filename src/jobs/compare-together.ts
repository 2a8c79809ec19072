import { judgeDomainClassifier, togetherWords } from '../detectors/domain-classifier.js';
import { numberWords } from '../detectors/words.js';
import type { ComparedSide } from '../domain/compared-files.js';
import type { Verdict } from '../domain/verdict.js';
import { comparePairs, LEAST_PAIR_ROWS } from '../stats/pair-classifier.js';
import { encodePairRows, fitPairColumns } from '../stats/pair-rows.js';
import { comparedModel, comparedReference, IID, type JudgedColumn, WINDOW } from './compare-judge.js';

/** Rows of each side that are compared, as many as a service keeps of a reference. */
const MOST_ROWS = 5_000;

/** Compares rows of both sides by how their compared columns go together; rows are taken as independent. */
export async function compareTogether({
  reference,
  current,
  columns,
  referenceHash,
  level,
}: {
  readonly reference: ComparedSide;
  readonly current: ComparedSide;
  readonly columns: readonly JudgedColumn[];
  readonly referenceHash: string;
  readonly level: number;
}): Promise<Verdict> {
  const compared = columns.flatMap(({ name, counted }) =>
    counted === null ? [] : [{ name, kind: counted.grid.kind }],
  );
  const hasPairs = compared.length >= 2;
  const before = hasPairs ? await reference.sample(compared, MOST_ROWS) : [];
  const after = hasPairs ? await current.sample(compared, MOST_ROWS) : [];
  const fitted = fitPairColumns(compared, before);
  return judgeDomainClassifier({
    model: comparedModel(compared),
    window: WINDOW,
    reference: comparedReference(referenceHash, reference.rows, IID),
    baseline: { rows: before.length, features: compared.length, windowRows: MOST_ROWS, pieces: [] },
    comparison: hasPairs
      ? comparePairs({
          columns: fitted,
          reference: encodePairRows(fitted, before),
          current: encodePairRows(fitted, after),
        })
      : 'not_applicable',
    currentRows: after.length,
    spread: null,
    level,
  });
}

/** What the verdict says, for people. */
export function explainTogether(verdict: Verdict): string {
  const { status, reason, statistic, threshold } = verdict;
  if (status === 'undecided')
    return reason === 'too_few_rows'
      ? `Columns together are undecided: each side needs ${LEAST_PAIR_ROWS} rows.`
      : 'Columns together are undecided: there are no two columns that vary.';
  if (status === 'stable')
    return `Columns go together as in the reference: current rows are told from its rows with an AUC of ${numberWords(statistic)}, and ${numberWords(threshold)} would be significant.`;
  const words = togetherWords(verdict, 'current rows').replace(/^features/, 'Columns');
  return verdict.material ? words : `${words.slice(0, -1)}, which is too little to matter.`;
}
