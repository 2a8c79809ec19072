import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DecodeContext } from '../../../src/collectors/decode-event.js';
import { decodeLabel } from '../../../src/collectors/decode-label.js';
import { decodePrediction } from '../../../src/collectors/decode-prediction.js';
import { NO_VALUES, type RowSource } from '../../../src/domain/prediction.js';
import { named } from '../../support/rows.js';

const source: RowSource = { kind: 'http', topic: '', partition: -1, offset: -1 };
const kinds = new Map<string, 'numeric' | 'categorical'>([
  ['age', 'numeric'],
  ['plan', 'categorical'],
  ['__proto__', 'numeric'],
]);
const context: DecodeContext = {
  featureKinds: (model, version) => (model === 'churn' && version === '3' ? kinds : undefined),
  nowMs: Date.UTC(2026, 0, 2),
  earliestMs: () => Date.UTC(1971, 0, 1),
  source,
  defaultId: null,
};
const event = {
  prediction_id: 'r1',
  model: 'churn',
  model_version: '3',
  timestamp: '2026-01-01T00:00:00.123Z',
  features: { age: 31, plan: 'pro', x: null },
  prediction: 1,
  prediction_proba: 0.83,
  latency_ms: 12.5,
  tags: { region: 'eu' },
};
const decode = (over: object, from: DecodeContext = context) => decodePrediction({ ...event, ...over }, from);
const reasonOf = (over: object) => {
  const result = decode(over);
  return result.ok ? 'accepted' : result.reason;
};

describe('a prediction event', () => {
  it('becomes a row', () => {
    const result = decodePrediction(event, context);
    expect(result).toEqual({
      ok: true,
      row: {
        model: 'churn',
        modelVersion: '3',
        predictionId: 'r1',
        rowIndex: 0,
        timestampMs: Date.UTC(2026, 0, 1) + 123,
        numeric: named([['age', 31]]),
        categorical: named([['plan', 'pro']]),
        prediction: 1,
        proba: 0.83,
        probas: NO_VALUES,
        latencyMs: 12.5,
        tags: named([['region', 'eu']]),
        source,
      },
    });
  });

  it('keeps values by the kind their feature was declared with', () => {
    const result = decode({ features: { age: 'old', plan: 7, flag: true, other: 1.5, text: 'x' } });
    expect(result.ok && [result.row.numeric, result.row.categorical]).toEqual([
      named([['other', 1.5]]),
      named(Object.entries({ age: 'old', plan: '7', flag: 'true', text: 'x' })),
    ]);
    expect(decode({ features: { age: true } })).toMatchObject({ row: { numeric: named([['age', 1]]) } });
  });

  it('keeps 1e400 as infinity, and a feature called __proto__', () => {
    const features: unknown = JSON.parse('{"age": 1e400, "__proto__": 5, "constructor": 6}');
    const result = decode({ features });
    expect(result.ok && result.row.numeric).toEqual(
      named([
        ['age', Number.POSITIVE_INFINITY],
        ['__proto__', 5],
        ['constructor', 6],
      ]),
    );
    expect(({} as Record<string, unknown>).age).toBeUndefined();
  });

  it.each([
    ['2026-01-01T00:00:00Z', 0],
    ['2026-01-01', 0],
    ['2026-01-01T00:00:00', 0],
    ['2026-01-01 00:00:00.5', 500],
    ['2026-01-01T01:00:00+01:00', 0],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29) - Date.UTC(2026, 0, 1)],
    [1_767_225_600, 0],
    [1_767_225_600.25, 250],
    [1_767_225_600_007, 7],
  ])('reads the time %p', (timestamp, ms) => {
    expect(decode({ timestamp })).toMatchObject({ row: { timestampMs: Date.UTC(2026, 0, 1) + ms } });
  });

  it('takes the names that other systems use', () => {
    const { prediction_id, prediction, prediction_proba, ...rest } = event;
    const result = decodePrediction(
      { ...rest, inferenceId: prediction_id, y_pred: prediction, y_pred_proba: prediction_proba },
      context,
    );
    expect(result).toMatchObject({ ok: true, row: { predictionId: 'r1', prediction: 1, proba: 0.83 } });
  });

  it('takes class probabilities, and text as a prediction', () => {
    expect(decode({ prediction: 'a', prediction_proba: { a: 0.7, b: 0.3 } })).toMatchObject({
      row: { prediction: 'a', proba: null, probas: named(Object.entries({ a: 0.7, b: 0.3 })) },
    });
  });

  it.each([
    ['missing_field', { model: undefined }],
    ['missing_field', { model_version: null }],
    ['missing_field', { prediction: null }],
    ['missing_field', { timestamp: undefined }],
    ['missing_field', { features: undefined }],
    ['missing_id', { prediction_id: undefined }],
    ['missing_id', { prediction_id: null }],
    ['invalid_field', { prediction_id: {} }],
    ['invalid_field', { prediction_id: 2 ** 60 }],
    ['invalid_field', { prediction_id: 'x'.repeat(513) }],
    ['unknown_model', { model: 'other' }],
    ['unknown_model', { model_version: '4' }],
    ['unknown_model', { model: '__proto__' }],
    ['invalid_timestamp', { timestamp: 'yesterday' }],
    ['invalid_timestamp', { timestamp: {} }],
    ['invalid_timestamp', { timestamp: '2026-13-45T00:00:00Z' }],
    ['invalid_timestamp', { timestamp: '2026-02-29T00:00:00Z' }],
    ['invalid_timestamp', { timestamp: '2025-04-31' }],
    ['invalid_timestamp', { timestamp: 'January 1, 2026' }],
    ['invalid_timestamp', { timestamp: '1767225600' }],
    ['future_timestamp', { timestamp: '2026-01-02T01:00:01Z' }],
    ['ancient_timestamp', { timestamp: '1970-12-31T23:59:59Z' }],
    [
      'too_many_features',
      { features: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, i])) },
    ],
    ['too_deep', { features: { age: { nested: 1 } } }],
    ['too_deep', { features: { age: [1, 2] } }],
    ['invalid_field', { features: [] }],
    ['invalid_field', { features: { prediction: 1 } }],
    ['invalid_field', { features: { ['n'.repeat(257)]: 1 } }],
    ['invalid_field', { features: { plan: 'x'.repeat(8_193) } }],
    ['invalid_field', { prediction: Number.POSITIVE_INFINITY }],
    ['invalid_field', { prediction: {} }],
    ['invalid_field', { prediction_proba: 1.2 }],
    ['invalid_field', { prediction_proba: { a: 'high' } }],
    ['invalid_field', { latency_ms: -1 }],
    ['invalid_field', { tags: { a: {} } }],
    ['invalid_field', { tags: { a: 2 ** 53 } }],
    ['invalid_field', { tags: { a: -1e300 } }],
    ['invalid_field', { tags: { a: Number.POSITIVE_INFINITY } }],
    ['invalid_field', { row_index: 1.5 }],
  ])('is refused as %s', (reason, over) => {
    expect(reasonOf(over)).toBe(reason);
  });

  it.each([
    ['text', 'not_an_object'],
    [null, 'not_an_object'],
    [[event], 'not_an_object'],
    [5, 'not_an_object'],
  ])('that is %p is no object', (value, reason) => {
    expect(decodePrediction(value, context)).toMatchObject({ ok: false, reason });
  });

  it('gets its place as its id where it has one', () => {
    const { prediction_id: _, ...rest } = event;
    expect(decodePrediction(rest, { ...context, defaultId: 'topic/0/17' })).toMatchObject({
      row: { predictionId: 'topic/0/17' },
    });
  });

  it.each([
    ['as text', { date: 1, log: `${JSON.stringify(event)}\n`, stream: 'stdout' }],
    ['as an object', { '@timestamp': 1, message: event, kubernetes: {} }],
    ['as a body', { body: JSON.stringify(event), severity: 'INFO' }],
  ])('is found in a log forwarder’s record, %s', (_how, record) => {
    expect(decodePrediction(record, context)).toEqual(decodePrediction(event, context));
  });

  it('may have features of those names itself, and a log line is not one', () => {
    expect(decode({ message: { model: 'other' } })).toMatchObject({ ok: true, row: { model: 'churn' } });
    for (const log of ['{not json', 'plain text', '[1]', '7'])
      expect(decodePrediction({ log }, context)).toMatchObject({ ok: false, reason: 'missing_field' });
    const wrapped = { log: JSON.stringify({ ...event, timestamp: 'x' }) };
    expect(decodePrediction(wrapped, context)).toMatchObject({ reason: 'invalid_timestamp', model: 'churn' });
  });

  it('never makes the decoder throw, nor quotes a value in its reason', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.string({ minLength: 30 }), (value, canary) => {
        for (const result of [
          decodePrediction(value, context),
          decode({ features: value }),
          decode({ prediction: value }),
          decodeLabel(value, context),
        ])
          expect(typeof result.ok).toBe('boolean');
        const refused = decode({ timestamp: canary });
        expect(refused.ok || !refused.detail.includes(canary)).toBe(true);
      }),
    );
  });
});

describe('a label event', () => {
  const label = {
    prediction_id: 'r1',
    model: 'churn',
    model_version: '3',
    label: 0,
    timestamp: '2026-01-01T00:00:00Z',
  };

  it('becomes a row', () => {
    expect(decodeLabel(label, context)).toMatchObject({ ok: true, row: { label: 0, predictionId: 'r1' } });
    expect(decodeLabel({ ...label, label: true }, context)).toMatchObject({ row: { label: 1 } });
    const { label: _, ...rest } = label;
    expect(decodeLabel({ ...rest, y_true: 'yes' }, context)).toMatchObject({ row: { label: 'yes' } });
  });

  it.each([
    ['missing_field', { label: null }],
    ['invalid_field', { label: {} }],
    ['missing_id', { prediction_id: '' }],
  ])('is refused as %s', (reason, over) => {
    expect(decodeLabel({ ...label, ...over }, context)).toMatchObject({ ok: false, reason });
  });
});
