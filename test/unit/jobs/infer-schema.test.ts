import { describe, expect, it } from '@jest/globals';
import { type ColumnDescription, inferSchema } from '../../../src/jobs/infer-schema.js';

const column = (name: string, type: string, distinct = 50): ColumnDescription => ({
  name,
  type,
  distinct,
  rows: 1_000,
});
const x = column('x', 'Nullable(Float64)');
const binary = column('prediction', 'Int64', 2);

describe('inferSchema', () => {
  it('finds roles by name and kinds by type', () => {
    const inferred = inferSchema(
      [
        column('prediction_id', 'String'),
        column('timestamp', 'DateTime64(6)'),
        column('age', 'Nullable(Int64)'),
        column('plan', 'LowCardinality(Nullable(String))'),
        column('vip', 'Bool', 2),
        column('tags', 'Array(String)'),
        column('birthday', 'Date'),
        binary,
        column('prediction_proba', 'Float64'),
        column('label', 'Nullable(Int8)', 2),
      ],
      'r.parquet',
    );
    expect(inferred).toEqual({
      schema: {
        task: 'binary',
        features: [
          { name: 'age', kind: 'numeric' },
          { name: 'plan', kind: 'categorical' },
          { name: 'vip', kind: 'categorical' },
          { name: 'birthday', kind: 'numeric', time: true },
        ],
        label: true,
      },
      timestampColumn: 'timestamp',
      labelColumn: 'label',
      leftOut: ['tags'],
      tags: [],
    });
  });

  it('knows the names of other tools, and keeps them out of the features', () => {
    const inferred = inferSchema(
      [
        column('id', 'Int64'),
        column('datetime', 'String'),
        x,
        column('y_pred', 'String', 2),
        column('y_pred_proba', 'Float64'),
        column('y_true', 'String', 2),
      ],
      'r.csv',
    );
    expect(inferred).toEqual({
      schema: { task: 'binary', features: [{ name: 'x', kind: 'numeric' }], label: true },
      timestampColumn: 'datetime',
      labelColumn: 'y_true',
      leftOut: [],
      tags: [],
    });
  });

  it('keeps the tags of exported rows out of the features: events carry them elsewhere', () => {
    const tag = column('tags.region', 'Nullable(String)', 3);
    const { schema, tags } = inferSchema([x, binary, tag, column('tags.age', 'Int64')], 'r.parquet');
    expect([schema.features.map(({ name }) => name), tags]).toEqual([['x'], ['tags.region', 'tags.age']]);
    expect(() => inferSchema([binary, tag], 'r.parquet')).toThrow(/has no feature columns .*tags/);
  });

  it('measures times from the rows’ timestamp, and leaves them out without one', () => {
    const when = { ...column('signed_up', 'String', 9), times: true };
    const timed = inferSchema([x, binary, when, column('ts', 'DateTime64(3)')], 'r.csv');
    expect(timed.schema.features).toEqual([
      { name: 'x', kind: 'numeric' },
      { name: 'signed_up', kind: 'numeric', time: true },
    ]);
    const untimed = inferSchema([x, binary, when], 'r.csv');
    expect(untimed.schema.features).toEqual([{ name: 'x', kind: 'numeric' }]);
    expect(untimed.leftOut).toEqual(['signed_up']);
  });

  it('takes latencies, and labels that can be compared with the predictions', () => {
    const label = column('label', 'String', 2);
    const latency = column('latency_ms', 'Float64');
    expect(inferSchema([x, binary, label, latency], 'r.csv').schema).toMatchObject({
      label: true,
      latency: true,
    });
    const amount = column('prediction', 'Float64');
    const wordy = inferSchema([x, amount, label, column('latency_ms', 'String')], 'r.csv').schema;
    expect(wordy).toEqual({ task: 'regression', features: [{ name: 'x', kind: 'numeric' }] });
  });

  it('takes the predicted class’s probability of several classes, where there is one', () => {
    const several = column('prediction', 'String', 5);
    const proba = column('prediction_proba', 'Float64');
    expect(inferSchema([x, several, proba], 'r.csv').schema.probability).toBe(true);
    expect(inferSchema([x, several], 'r.csv').schema.probability).toBeUndefined();
  });

  it('takes epoch numbers as the time, not as a feature that always drifts', () => {
    const { schema, timestampColumn } = inferSchema([column('timestamp', 'Int64'), x, binary], 'r.csv');
    expect([timestampColumn, schema.features.map(({ name }) => name)]).toEqual(['timestamp', ['x']]);
  });

  it.each([
    ['two numbers', 'Int64', 2, 'binary'],
    ['two words', 'String', 2, 'binary'],
    ['one value only', 'Int64', 1, 'binary'],
    ['a few whole numbers', 'Int64', 20, 'multiclass'],
    ['many whole numbers', 'Int64', 21, 'regression'],
    ['words', 'Nullable(String)', 101, 'multiclass'],
    ['decimals', 'Float64', 101, 'regression'],
  ])('reads predictions of %s as a task', (_, type, distinct, task) => {
    expect(inferSchema([x, column('prediction', type, distinct)], 'r.csv').schema.task).toBe(task);
  });

  it('says when a binary model gives no probability', () => {
    expect(inferSchema([x, binary], 'r.csv').schema.probability).toBe(false);
    const proba = column('prediction_proba', 'Float64');
    expect(inferSchema([x, binary, proba], 'r.csv').schema.probability).toBeUndefined();
  });

  it.each([
    ['no rows', [{ ...x, rows: 0 }], /has no rows/],
    ['no columns', [], /has no rows/],
    ['no prediction', [x], /has no column `prediction`: add/],
    ['no features', [binary, column('label', 'Int8')], /has no feature columns/],
    ['a name that cannot be a metric label', [column('a,b', 'Int64'), binary], /"a,b"; use letters/],
  ])('refuses a file with %s', (_, columns, message) => {
    expect(() => inferSchema(columns, 'r.csv')).toThrow(message);
  });
});
