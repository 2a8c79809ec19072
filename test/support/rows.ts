import type { LabelRow, Named, PredictionRow, RejectedRow, RowSource } from '../../src/domain/prediction.js';
import type { RowStore } from '../../src/domain/row-ports.js';

export const HTTP_SOURCE: RowSource = { kind: 'http', topic: '', partition: -1, offset: -1 };

/** Lists of a store that keeps rows as they are. */
export const PLAIN_LISTS: Pick<RowStore, 'newPredictions' | 'joinPredictions'> = {
  newPredictions: () => [],
  joinPredictions: (lists) => lists.flatMap((list) => [...list]),
};

/** A record without a prototype, as decoders make them: `__proto__` is a name like any other. */
export function record<V>(entries: readonly (readonly [string, V])[]): Record<string, V> {
  const values: Record<string, V> = Object.create(null);
  for (const [name, value] of entries) values[name] = value;
  return values;
}

/** The same as rows hold values. */
export function named<V>(entries: readonly (readonly [string, V])[]): Named<V> {
  return { names: entries.map(([name]) => name), values: entries.map(([, value]) => value) };
}

export function namedValue<V>({ names, values }: Named<V>, name: string): V | undefined {
  return values[names.indexOf(name)];
}

export function predictionRow(id: string, overrides: Partial<PredictionRow> = {}): PredictionRow {
  return {
    model: 'churn',
    modelVersion: '3',
    predictionId: id,
    rowIndex: 0,
    timestampMs: Date.UTC(2026, 0, 1, 12, 30, 0, 123),
    numeric: named([['age', 31]]),
    categorical: named([['plan', 'pro']]),
    prediction: '1',
    proba: 0.83,
    probas: named([]),
    latencyMs: 12.5,
    tags: named([['region', 'eu']]),
    source: HTTP_SOURCE,
    ...overrides,
  };
}

export function labelRow(id: string, overrides: Partial<LabelRow> = {}): LabelRow {
  return {
    model: 'churn',
    modelVersion: '3',
    predictionId: id,
    rowIndex: 0,
    timestampMs: Date.UTC(2026, 0, 2),
    label: 0,
    source: HTTP_SOURCE,
    ...overrides,
  };
}

export function rejectedRow(overrides: Partial<RejectedRow> = {}): RejectedRow {
  return {
    kind: 'prediction',
    reason: 'malformed_json',
    detail: 'not JSON: send one object per line',
    payload: '{"model":',
    model: '',
    rowIndex: 0,
    source: HTTP_SOURCE,
    ...overrides,
  };
}
