import {
  type FeatureSchema,
  type ModelSchema,
  NAME_PATTERN,
  PREDICTION,
  PREDICTION_PROBA,
  RESERVED_FEATURES,
  type Task,
} from '../domain/model.js';
import { AppError } from '../errors.js';

export interface ColumnDescription {
  readonly name: string;
  /** The engine's type, e.g. Nullable(Float64). */
  readonly type: string;
  /** Distinct values, counted up to 100. */
  readonly distinct: number;
  readonly rows: number;
}

export interface InferredSchema {
  readonly schema: ModelSchema;
  readonly timestampColumn: string | null;
  readonly labelColumn: string | null;
}

const ID_NAMES = ['prediction_id', 'id', 'inference_id', 'event_id'];
const TIME_NAMES = ['timestamp', 'datetime', 'ts', 'event_ts', 'inference_time'];
const LABEL_NAMES = ['label', 'target', 'actual', 'ground_truth', 'y_true'];
/** Integer labels with more classes than this are read as amounts. */
const MAX_CLASSES = 20;

const isNumber = (type: string) => /^(Nullable\()?(U?Int\d+|Float\d+|Decimal)/.test(type);
const isInteger = (type: string) => /^(Nullable\()?U?Int\d+/.test(type);
const isTime = (type: string) => /^(Nullable\()?Date/.test(type);
const isText = (type: string) =>
  /^(Nullable\(|LowCardinality\()*(String|FixedString|Bool|Enum|UUID)/.test(type);

function taskOf(prediction: ColumnDescription, hasProbability: boolean): Task {
  if (hasProbability || prediction.distinct <= 2) return 'binary';
  if (isText(prediction.type)) return 'multiclass';
  return isInteger(prediction.type) && prediction.distinct <= MAX_CLASSES ? 'multiclass' : 'regression';
}

/**
 * Roles by name, kinds by type: numbers are numeric features, text and booleans categorical ones. Columns of other types
 * (nested ones, dates beside the timestamp) are no features. Throws invalid_reference when there is no prediction.
 */
export function inferSchema(columns: readonly ColumnDescription[], path: string): InferredSchema {
  const fail = (what: string): never => {
    throw new AppError('invalid_reference', `${path} ${what}`);
  };
  const rows = columns[0]?.rows ?? 0;
  if (rows === 0) fail('has no rows: a reference is the data the model was trained or validated on');
  const find = (names: readonly string[]) => columns.find((column) => names.includes(column.name));
  const prediction =
    columns.find((column) => column.name === PREDICTION) ??
    fail('has no column `prediction`: add what the model said for each row, then register again');
  const proba = columns.find((column) => column.name === PREDICTION_PROBA && isNumber(column.type));
  const time = columns.find(
    (column) => TIME_NAMES.includes(column.name) && (isTime(column.type) || isText(column.type)),
  );
  const label = find(LABEL_NAMES);
  const roles = new Set(
    [find(ID_NAMES), time, label].flatMap((column) => (column === undefined ? [] : [column.name])),
  );
  const features: FeatureSchema[] = [];
  for (const { name, type } of columns) {
    if (roles.has(name) || RESERVED_FEATURES.has(name) || !(isNumber(type) || isText(type))) continue;
    if (!NAME_PATTERN.test(name))
      fail(
        `has a column whose name cannot be a metric label: ${JSON.stringify(name)}; use letters, digits and . : / _ -`,
      );
    features.push({ name, kind: isNumber(type) ? 'numeric' : 'categorical' });
  }
  if (features.length === 0) fail('has no feature columns');
  const task = taskOf(prediction, proba !== undefined);
  return {
    schema: { task, features, ...(task === 'binary' && proba === undefined ? { probability: false } : {}) },
    timestampColumn: time?.name ?? null,
    labelColumn: label?.name ?? null,
  };
}
