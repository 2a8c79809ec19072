import { describe, expect, it } from '@jest/globals';
import { createMessageReader } from '../../../../src/collectors/formats/read-message.js';
import { type ModelMapping, NO_MAPPING } from '../../../../src/domain/mapping.js';
import type { Outcome } from '../../../../src/domain/prediction.js';

const NOW_MS = Date.UTC(2026, 0, 2);
const SOURCE = { kind: 'http', topic: '', partition: -1, offset: -1 };
const EVENT = {
  prediction_id: 'r1',
  timestamp: '2026-01-01T00:00:00Z',
  features: { age: 31 },
  prediction: 1,
};
const CALL = {
  prediction_id: 'c1',
  model: 'churn',
  model_version: '3',
  timestamp: '2026-01-01T00:00:00Z',
  request: { instances: [[31], [40], ['x'], [7, 8]] },
  response: { predictions: [1, 0, null, 1] },
};

function readerOf(mappings: Readonly<Record<string, Partial<ModelMapping>>>) {
  const full = new Map(Object.entries(mappings).map(([model, over]) => [model, { ...NO_MAPPING, ...over }]));
  const served = new Map([...full].flatMap(([model, { serves }]) => serves.map((name) => [name, model])));
  const read = createMessageReader({
    featureKinds: (model, version) => (model === 'churn' && version === '3' ? new Map() : undefined),
    earliestMs: () => 0,
    wallClock: () => NOW_MS,
    mappingOf: (model) => full.get(model) ?? null,
    modelNamed: (names) => names.map((name) => served.get(name) ?? name).find((name) => name === 'churn'),
  });
  return (value: unknown, over: { kind?: 'label'; model?: string; modelVersion?: string } = {}) =>
    read({
      value,
      text: JSON.stringify(value),
      kind: 'prediction',
      source: SOURCE,
      index: 5,
      defaultId: null,
      ...over,
    });
}
const told = (outcomes: readonly Outcome[]) =>
  outcomes.map((outcome) =>
    outcome.kind === 'rejected'
      ? [outcome.row.reason, outcome.row.rowIndex]
      : outcome.kind === 'half'
        ? 'half'
        : [outcome.row.predictionId, outcome.row.rowIndex],
  );

describe('an event', () => {
  it('gets its model and version from beside it, or from the configuration', () => {
    const read = readerOf({ churn: { serves: ['churn-service'], version: '3' } });
    expect(told(read({ ...EVENT, model: 'churn' }))).toEqual([['r1', 0]]);
    expect(told(read({ ...EVENT, model: 'churn-service' }))).toEqual([['r1', 0]]);
    expect(told(read(EVENT, { model: 'churn-service' }))).toEqual([['r1', 0]]);
    // What the event says counts.
    expect(told(read({ ...EVENT, model_version: '4' }, { model: 'churn', modelVersion: '3' }))).toEqual([
      ['unknown_model', 5],
    ]);
    expect(told(read(EVENT))).toEqual([['missing_field', 5]]);
  });

  it('is read where the mapping says, and by the usual names where that finds nothing', () => {
    const read = readerOf({
      churn: {
        version: '3',
        predictionId: 'a.0.id',
        features: ['age', 'plan'],
        label: 'truth',
        tags: { region: 'where' },
      },
    });
    const event = { model: 'churn', a: [{ id: 'deep' }], timestamp: 1_767_225_600, age: 31, prediction: 1 };
    expect(read({ ...event, where: 'eu', tags: { x: 'y' } })).toMatchObject([
      {
        kind: 'prediction',
        row: {
          predictionId: 'deep',
          numeric: { names: ['age'], values: [31] },
          tags: { names: ['x', 'region'] },
        },
      },
    ]);
    expect(told(read({ ...event, a: [], id: 'usual' }))).toEqual([['usual', 0]]);
    expect(read({ ...event, truth: 'yes' }, { kind: 'label' })).toMatchObject([
      { kind: 'label', row: { label: 'yes' } },
    ]);
  });

  it('keeps a feature that is called __proto__', () => {
    const read = readerOf({ churn: { version: '3', features: 'in' } });
    const value: unknown = JSON.parse(
      '{"model":"churn","id":"p","ts":1767225600,"prediction":1,"in":{"__proto__":5}}',
    );
    expect(read(value)).toMatchObject([{ row: { numeric: { names: ['__proto__'], values: [5] } } }]);
  });
});

describe('a call', () => {
  const read = readerOf({ churn: { featureNames: ['age'] } });

  it.each([
    [
      'dataframe_split',
      { dataframe_split: { columns: ['a', 'b', 'a'], data: [[1, 2, 3]] } },
      { predictions: [1] },
    ],
    [
      'the names of a Seldon request',
      { data: { names: ['a', 'a'], ndarray: [[1, 2]] } },
      { predictions: [1] },
    ],
    [
      'tensors',
      { inputs: [1, 2].map((value) => ({ name: 'a', shape: [1], data: [value] })) },
      { predictions: [1] },
    ],
    [
      'the names of an answer',
      { instances: [{ a: 1 }] },
      { data: { names: ['prediction', 'prediction'], ndarray: [[3, 4]] } },
    ],
  ])('whose %s have a name twice is unmapped, not read as its last', (_, request, response) => {
    const outcomes = readerOf({})({ ...CALL, request, response });
    expect(outcomes).toMatchObject([{ kind: 'rejected', row: { reason: 'unmapped', model: 'churn' } }]);
    expect(outcomes).toMatchObject([{ row: { detail: expect.stringContaining('the same name') } }]);
  });

  it('with a name twice is read by the names of the mapping', () => {
    const request = { dataframe_split: { columns: ['a', 'a'], data: [[1, 2]] } };
    const named = readerOf({ churn: { featureNames: ['a', 'b'] } });
    expect(named({ ...CALL, request, response: { predictions: [1] } })).toMatchObject([
      { kind: 'prediction', row: { numeric: { names: ['a', 'b'], values: [1, 2] } } },
    ]);
  });

  it('gives a row for each of its rows, and keeps bad ones so that they can be read again', () => {
    const outcomes = read(CALL);
    expect(told(outcomes)).toEqual([
      ['c1', 0],
      ['c1', 1],
      ['missing_field', 2],
      ['unmapped', 3],
    ]);
    const kept = outcomes.flatMap((outcome) => (outcome.kind === 'rejected' ? [outcome.row.payload] : []));
    expect(kept.map((text) => read(JSON.parse(text)).map((one) => one.kind))).toEqual([
      ['rejected'],
      ['rejected'],
    ]);
    // With the names mended, the row that was kept becomes the row that it was.
    const mended = readerOf({ churn: { featureNames: ['age', 'income'] } });
    expect(told(mended(JSON.parse(kept[1] ?? '')))).toEqual([['c1', 3]]);
  });

  it('is kept whole when its rows cannot be told', () => {
    const odd = { ...CALL, response: { predictions: [1] } };
    expect(read(odd)).toMatchObject([
      { row: { reason: 'unsupported_payload', payload: JSON.stringify(odd), model: 'churn' } },
    ]);
    expect(told(read({ ...CALL, model: undefined }))).toEqual([['missing_field', 5]]);
    expect(told(read({ ...CALL, request: 'no' }))).toEqual([['unsupported_payload', 5]]);
  });

  it('without rows says so', () => {
    const none = { ...CALL, request: { instances: [] }, response: { predictions: [] } };
    expect(told(read(none))).toEqual([['unsupported_payload', 5]]);
  });
});

describe('what an envelope says', () => {
  const read = readerOf({});
  const data = { model: 'churn', model_version: '3', features: { age: 31 }, prediction: 1 };
  const envelope = { specversion: '1.0', id: 'outer', source: '/s', type: 'x', time: '2026-01-01T00:00:00Z' };
  const record = (body: object) => ({
    logRecord: { timeUnixNano: '1767225600000000000', body: { stringValue: JSON.stringify(body) } },
  });

  it('counts where the event does not say it itself, under any of its names', () => {
    const own = { ...data, event_id: 'inner', ts: 1_767_225_601 };
    expect(read({ ...envelope, data })).toMatchObject([
      { row: { predictionId: 'outer', timestampMs: Date.UTC(2026, 0, 1) } },
    ]);
    expect(read({ ...envelope, data: own })).toMatchObject([
      { row: { predictionId: 'inner', timestampMs: Date.UTC(2026, 0, 1) + 1_000 } },
    ]);
    expect(read(record({ ...data, id: 'r' }))).toMatchObject([
      { row: { predictionId: 'r', timestampMs: Date.UTC(2026, 0, 1) } },
    ]);
    expect(read(record(own))).toMatchObject([
      { row: { predictionId: 'inner', timestampMs: Date.UTC(2026, 0, 1) + 1_000 } },
    ]);
  });

  it.each([
    ['9007199254740993', '9007199254740993'],
    [9_007_199_254_740_991, '9007199254740991'],
    [2 ** 53, undefined],
  ])('has the integer %p of an attribute as it was sent, or not at all', (intValue, stored) => {
    const named = (key: string) => {
      const { logRecord } = record(data);
      return read({ logRecord: { ...logRecord, attributes: [{ key, value: { intValue } }] } })[0];
    };
    const id = named('ml.prediction.id');
    expect(id?.kind === 'prediction' ? id.row.predictionId : undefined).toBe(stored);
  });

  it('is one envelope deep', () => {
    expect(told(read({ ...envelope, data: { ...envelope, data } }))).toEqual([['missing_field', 5]]);
  });
});
