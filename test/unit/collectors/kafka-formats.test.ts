import { describe, expect, it } from '@jest/globals';
import { createMessageReader } from '../../../src/collectors/formats/read-message.js';
import { cloudEventOf, type RecordHeaders } from '../../../src/collectors/kafka-cloud-event.js';
import {
  appendRecord,
  createRangeBuffer,
  type RangeBuffer,
  withoutStored,
} from '../../../src/collectors/range-buffer.js';
import { createRecordDecoders } from '../../../src/collectors/record-decoders.js';
import { createSilentLogger } from '../../support/silent-logger.js';

const shared = {
  featureKinds: (model: string) => (model === 'churn' ? new Map([['age', 'numeric' as const]]) : undefined),
  earliestMs: () => 0,
  wallClock: () => Date.UTC(2026, 0, 2),
};
const decoders = createRecordDecoders({
  ...shared,
  read: createMessageReader(shared),
  logger: createSilentLogger(),
});
const sourceOf = (offset: number) => ({ kind: 'kafka', topic: 't@1', partition: 0, offset });

function append(buffer: RangeBuffer, offset: number, value: unknown, headers?: RecordHeaders): void {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  appendRecord(buffer, 'prediction', { offset, value: bytes, headers }, sourceOf(offset), decoders);
}

const CALL = {
  prediction_id: 'c',
  model: 'churn',
  model_version: '3',
  timestamp: '2026-01-01T00:00:00Z',
  request: { instances: [{ age: 1 }, { age: 2 }, { age: 3 }] },
  response: { predictions: [1, null, 0] },
};
const KSERVE = {
  ce_specversion: Buffer.from('1.0'),
  ce_id: Buffer.from('k1'),
  ce_source: Buffer.from('http://localhost:9081/'),
  ce_type: Buffer.from('org.kubeflow.serving.inference.request'),
  ce_time: Buffer.from('2026-01-01T00:00:00Z'),
  ce_inferenceservicename: Buffer.from('churn'),
  'content-type': Buffer.from('application/json'),
};

describe('records with headers', () => {
  it('are CloudEvents in binary mode', () => {
    const buffer = createRangeBuffer(0, []);
    append(buffer, 0, { instances: [{ age: 1 }] }, KSERVE);
    expect(buffer.halves).toMatchObject([
      { call: '["http://localhost:9081/","k1"]', side: 'request', model: 'churn', source: sourceOf(0) },
    ]);
    expect(JSON.parse(buffer.halves[0]?.payload ?? '')).toEqual({
      specversion: '1.0',
      id: 'k1',
      source: 'http://localhost:9081/',
      type: 'org.kubeflow.serving.inference.request',
      time: '2026-01-01T00:00:00Z',
      inferenceservicename: 'churn',
      datacontenttype: 'application/json',
      data: { instances: [{ age: 1 }] },
    });
  });

  it('keep bytes that are no text, and are rejected where these cannot be read', () => {
    const buffer = createRangeBuffer(0, []);
    append(buffer, 0, Buffer.from([0xff, 0x00, 0x80]), { ...KSERVE, ce_type: 'com.example.prediction' });
    expect(buffer.rejected).toMatchObject([{ reason: 'unsupported_payload' }]);
    expect(JSON.parse(buffer.rejected[0]?.payload ?? '')).toMatchObject({ data_base64: '/wCA' });
  });

  it('are of Seldon Core v1, without a prefix', () => {
    const buffer = createRangeBuffer(0, []);
    const headers = {
      type: 'io.seldon.serving.inference.response',
      requestid: 's1',
      modelid: 'churn',
      inferenceservicename: 'deployment',
      namespace: 'ml',
      endpoint: 'default',
      'content-type': 'application/json',
    };
    append(buffer, 0, { data: { ndarray: [[1]] } }, headers);
    expect(buffer.halves).toMatchObject([
      { call: '["seldon/ml/deployment","s1"]', side: 'response', model: 'churn' },
    ]);
  });

  it('are of Seldon Core v1, of no time when the record tells of none that there is', () => {
    const headers = { type: 'io.seldon.serving.inference.request', requestid: 's1' };
    const value = Buffer.from('{}');
    const timeAt = (timestampMs: number) => cloudEventOf({ offset: 0, value, timestampMs, headers })?.time;
    expect(timeAt(1_767_225_600_000)).toBe('2026-01-01T00:00:00.000Z');
    expect([timeAt(1.7672256e18), timeAt(-1), timeAt(Number.NaN)]).toEqual([undefined, undefined, undefined]);
  });

  it('are plain events when the headers say nothing', () => {
    const buffer = createRangeBuffer(0, []);
    append(
      buffer,
      0,
      { ...CALL, request: undefined, features: { age: 1 }, prediction: 1 },
      { traceparent: '00-1' },
    );
    expect(buffer.predictions).toHaveLength(1);
    expect(buffer.halves).toEqual([]);
  });
});

describe('a record of several rows', () => {
  it('is completed after a crash, row by row', () => {
    const buffer = createRangeBuffer(0, []);
    append(buffer, 0, CALL);
    append(buffer, 1, { ...CALL, prediction_id: 'd' });
    append(buffer, 2, KSERVE);
    expect([buffer.predictions.length, buffer.rejected.length]).toEqual([4, 3]);
    const missing = withoutStored(
      buffer,
      new Map([
        // The rejected row of the first record was stored before the crash, all of the second, and the third.
        [0, new Set([1])],
        [1, new Set([0, 1, 2])],
        [2, new Set([0])],
      ]),
    );
    expect([...missing.predictions].map(({ predictionId, rowIndex }) => [predictionId, rowIndex])).toEqual([
      ['c', 0],
      ['c', 2],
    ]);
    expect(missing.rejected).toEqual([]);
  });

  it('of one row is known by its offset, whatever it became', () => {
    const buffer = createRangeBuffer(0, []);
    append(buffer, 0, { ...CALL, row_index: 7, request: { instances: [{ age: 1 }] }, response: [1] });
    expect(withoutStored(buffer, new Map([[0, new Set([0])]])).predictions).toEqual([]);
  });
});
