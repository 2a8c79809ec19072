import {
  type FeatureSchema,
  type ModelSchema,
  NAME_PATTERN,
  PREDICTION,
  RESERVED_FEATURES,
  type Task,
} from '../domain/model.js';
import { columnOfRole, contentOf } from '../domain/reference-columns.js';
import { tagOf } from '../domain/segment.js';
import { AppError } from '../errors.js';

export interface ColumnDescription {
  readonly name: string;
  /** The engine's type, e.g. Nullable(Float64). */
  readonly type: string;
  /** Distinct values, counted up to 100. */
  readonly distinct: number;
  readonly rows: number;
  /** Whether all values are times, as a type or as ISO 8601 text. */
  readonly times?: boolean;
}

export interface InferredSchema {
  readonly schema: ModelSchema;
  readonly timestampColumn: string | null;
  readonly labelColumn: string | null;
  /** Columns that cannot be monitored: nested ones, and times where the rows have no timestamp to measure them from. */
  readonly leftOut: readonly string[];
  /** Columns named like tags (`tags.region`), which are no features. */
  readonly tags: readonly string[];
}

/** Integer predictions with more values than this are read as amounts. */
const MAX_CLASSES = 20;

function taskOf(prediction: ColumnDescription): Task {
  if (prediction.distinct <= 2) return 'binary';
  const content = contentOf(prediction.type);
  if (content === 'decimal') return 'regression';
  return content === 'integer' && prediction.distinct > MAX_CLASSES ? 'regression' : 'multiclass';
}

/**
 * Roles by name, kinds by type: numbers are numeric features, text and booleans categorical ones, times numeric ones by their
 * age. Throws invalid_reference when there is no prediction.
 */
export function inferSchema(columns: readonly ColumnDescription[], path: string): InferredSchema {
  const fail = (what: string): never => {
    throw new AppError('invalid_reference', `${path} ${what}`);
  };
  if ((columns[0]?.rows ?? 0) === 0)
    fail('has no rows: a reference is the data the model was trained or validated on');
  const byName = new Map(columns.map((column) => [column.name, column]));
  const names = new Set(byName.keys());
  const columnOf = (role: Parameters<typeof columnOfRole>[0]) => byName.get(columnOfRole(role, names) ?? '');
  const prediction =
    columnOf('prediction') ??
    fail(`has no column \`${PREDICTION}\`: add what the model said for each row, then register again`);
  const score = columnOf('proba');
  const proba = score !== undefined && isNumber(score.type) ? score : undefined;
  const time = columnOf('timestamp');
  const timestamp = time !== undefined && contentOf(time.type) !== 'other' ? time : undefined;
  const label = columnOf('label');
  const latency = columnOf('latency');
  const roles = new Set(
    [columnOf('predictionId'), timestamp, label, latency, prediction, proba].map((column) => column?.name),
  );
  const features: FeatureSchema[] = [];
  const leftOut: string[] = [];
  const tags: string[] = [];
  for (const { name, type, times = contentOf(type) === 'time' } of columns) {
    if (roles.has(name) || RESERVED_FEATURES.has(name)) continue;
    // Exported rows have their tags as columns; events carry them beside the features, so as a feature it would be missing for ever.
    if (tagOf(name) !== null) {
      tags.push(name);
      continue;
    }
    if (contentOf(type) === 'other' || (times && timestamp === undefined)) {
      leftOut.push(name);
      continue;
    }
    if (!NAME_PATTERN.test(name))
      fail(
        `has a column whose name cannot be a metric label: ${JSON.stringify(name)}; use letters, digits and . : / _ -`,
      );
    if (times) features.push({ name, kind: 'numeric', time: true });
    else features.push({ name, kind: isNumber(type) ? 'numeric' : 'categorical' });
  }
  if (features.length === 0) fail('has no feature columns (columns named tags.… are tags, not features)');
  const task = taskOf(prediction);
  // A score is the default of binary models, its absence that of the others.
  const unusual = task !== 'regression' && (task === 'binary') !== (proba !== undefined);
  const comparable =
    label !== undefined && (task === 'regression' ? isNumber(label.type) : contentOf(label.type) !== 'other');
  return {
    schema: {
      task,
      features,
      ...(unusual ? { probability: proba !== undefined } : {}),
      ...(comparable ? { label: true } : {}),
      ...(latency !== undefined && isNumber(latency.type) ? { latency: true } : {}),
    },
    timestampColumn: timestamp?.name ?? null,
    labelColumn: label?.name ?? null,
    leftOut,
    tags,
  };
}

function isNumber(type: string): boolean {
  const content = contentOf(type);
  return content === 'integer' || content === 'decimal';
}
