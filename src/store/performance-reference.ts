import { LABEL, type ModelVersion, PREDICTION, PREDICTION_PROBA, type Task } from '../domain/model.js';
import type { StoreClient } from './client.js';
import { type PerformanceSource, performanceSql } from './performance-sql.js';
import type { ReferenceFile } from './reference-file.js';

const NO_NUMBER = "CAST(NULL, 'Nullable(Float64)')";
const NO_TEXT = "CAST(NULL, 'Nullable(String)')";

/** Rows of a file beside the labels that they hold; how long those took is not known. `hourOfRow` as for the profiles. */
function filePairs(file: ReferenceFile, task: Task, hourOfRow: string | null): PerformanceSource {
  const hour = hourOfRow ?? 'toInt64(0)';
  const inside = hourOfRow === null ? '' : `WHERE ${hour} >= {fromHour:Int64} AND ${hour} < {toHour:Int64}`;
  const number = (name: string) => `toNullable(${file.number({ name, kind: 'numeric' })})`;
  const text = (name: string) => file.text({ name, kind: 'categorical' });
  const isNumber = task === 'regression';
  const scored = task === 'binary' && file.has(PREDICTION_PROBA);
  return `
    SELECT hour, toUInt8(${isNumber ? 'NOT isNaN(label)' : 'isNotNull(actual)'}) AS labelled, toUInt8(0) AS delay, actual, predicted,
      if(isNaN(number), NULL, number) AS score, toUInt8(ifNull(actual = {positiveClass:String}, 0)) AS positive, label, prediction
    FROM (
      SELECT ${hour} AS hour, ${isNumber ? `${NO_TEXT} AS actual, ${NO_TEXT} AS predicted` : `${text(LABEL)} AS actual, ${text(PREDICTION)} AS predicted`},
        ${scored ? number(PREDICTION_PROBA) : NO_NUMBER} AS number,
        ${isNumber ? `${number(LABEL)} AS label, ${number(PREDICTION)} AS prediction` : `${NO_NUMBER} AS label, ${NO_NUMBER} AS prediction`}
      FROM ${file.table} ${inside})`;
}

/** Whether a file says how good the model was on it. */
export function hasPerformance(file: ReferenceFile): boolean {
  return file.has(LABEL) && file.has(PREDICTION);
}

/** Counts some hours of a reference file's predictions against its labels. Parameters are those of the profiles' hours. */
export async function countReferencePerformance(
  client: StoreClient,
  file: ReferenceFile,
  input: {
    readonly scope: string;
    readonly model: ModelVersion;
    readonly positiveClass: string;
    readonly hourOfRow: string | null;
    readonly hours: readonly number[];
    readonly params: Readonly<Record<string, unknown>>;
    readonly revision: number;
  },
): Promise<void> {
  const { model, hours } = input;
  const { task } = model.schema;
  await client.command(performanceSql(filePairs(file, task, input.hourOfRow), task), {
    ...input.params,
    scope: input.scope,
    model: model.model,
    version: model.modelVersion,
    positiveClass: input.positiveClass,
    settings: '',
    hours,
    rawRows: hours.map(() => 0),
    revision: input.revision,
  });
}
