/** Roles of a reference file's columns by name: ours first, then what the field's tools call them. */
const ALIASES = {
  predictionId: ['prediction_id', 'id', 'inference_id', 'event_id'],
  timestamp: ['timestamp', 'datetime', 'ts', 'event_ts', 'inference_time'],
  prediction: ['prediction', 'y_pred', 'prediction_label', 'predicted_label'],
  proba: ['prediction_proba', 'y_pred_proba', 'prediction_score', 'predicted_proba'],
  label: ['label', 'target', 'actual', 'actual_label', 'ground_truth', 'y_true'],
  latency: ['latency_ms'],
} as const;

export type ColumnRole = keyof typeof ALIASES;

/** The column that plays a role: the first of the role's names that is there, or undefined. */
export function columnOfRole(role: ColumnRole, names: ReadonlySet<string>): string | undefined {
  return ALIASES[role].find((name) => names.has(name));
}

/** What a column of the engine's type holds: `Nullable(Int64)`, `LowCardinality(String)`, `DateTime64(6)`, … */
export type ColumnContent = 'integer' | 'decimal' | 'boolean' | 'text' | 'time' | 'other';

/** Arrays, maps and tuples are `other`. */
export function contentOf(type: string): ColumnContent {
  const bare = type.replace(/^(?:(?:Nullable|LowCardinality)\()+/, '');
  if (/^U?Int\d+/.test(bare)) return 'integer';
  if (/^(?:B?Float\d+|Decimal)/.test(bare)) return 'decimal';
  if (/^Bool/.test(bare)) return 'boolean';
  if (/^Date/.test(bare)) return 'time';
  return /^(?:String|FixedString|Enum|UUID)/.test(bare) ? 'text' : 'other';
}
