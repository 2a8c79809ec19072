import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTargetReader } from '../../src/collectors/formats/message-targets.js';
import type { ErasureTarget } from '../../src/domain/erasure.js';
import { NO_MAPPING } from '../../src/domain/mapping.js';
import { HTTP_SOURCE, labelRow, named, predictionRow, rejectedRow } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const AT_MS = Date.UTC(2026, 0, 5, 3);
const MODEL = 'churn';
const MAPPING = { ...NO_MAPPING, version: '1', predictionId: 'key', tags: { customer: 'meta.cust' } };
const targetsIn = createTargetReader(() => MAPPING);
const OTLP = JSON.stringify({
  logRecord: {
    attributes: [
      { key: 'ml.prediction.id', value: { stringValue: 'o1' } },
      { key: 'ml.tag.customer', value: { stringValue: 'otto' } },
    ],
  },
});
const CARRIED = Buffer.from('{"tags":{"customer":"carla"}}').toString('base64');

/** Messages of a prediction or customer, as they were rejected. */
const MESSAGES: readonly (readonly [
  what: string,
  id: string | null,
  customer: string | null,
  message: string,
])[] = [
  ['a mapped id', 'r1', null, '{"key":"r1","meta":{"cust":"x"}}'],
  ['a mapped tag', null, 'maria', '{"key":"x","meta":{"cust":"maria"}}'],
  ['the id of a log record', 'o1', null, OTLP],
  ['the tag of a log record', null, 'otto', OTLP],
  ['upper-case hex', null, 'Jürg', '{"tags":{"customer":"J\\u00FCrg"}}'],
  ['upper-case hex in what is no JSON', null, 'Jürg', '{"tags":{"customer":"J\\u00FCrg", broken'],
  ['an escaped slash', 'a/b', null, '{"prediction_id":"a\\/b"}'],
  ['an escaped letter', null, 'Ada', '{"tags":{"customer":"\\u0041da"}}'],
  ['an escaped name', null, 'Ada', '{"tags":{"\\u0063ustomer":"Ada"}}'],
  ['JSON inside of a text', null, 'Ada', JSON.stringify({ log: '{"tags":{"customer":"\\u0041da"}}' })],
  ['base64', null, 'carla', `{"specversion":"1.0","type":"t","id":"e","data_base64":"${CARRIED}"}`],
  ['a number with an exponent', null, '1000', '{"tags":{"customer":1e3}}'],
  ['a number with many digits', null, '0.1', '{"tags":{"customer":0.09999999999999999999}}'],
  ['a number beyond 2^53', '1234567890123456789', null, '{"prediction_id":1234567890123456789}'],
  ['a mapped number beyond 2^53', '-1234567890123456788', null, '{"key":-1234567890123456788}'],
  ['a tag beyond 2^53', null, '1234567890123456787', '{"tags":{"customer":1234567890123456787}}'],
  ['such a number, rounded', '2234567890123456789', null, '{"prediction_id":2234567890123456800}'],
  ['such a tag, rounded', null, '32345678901234567890123', '{"tags":{"customer":3.2345678901234567e+22}}'],
  ['a small number', null, '1e-7', '{"tags":{"customer":0.0000001}}'],
];

describe.each(BACKENDS)('erasure of messages in the %s store', (kind) => {
  let backend: StoreBackend;
  let aheadMs = 0;
  beforeAll(async () => {
    backend = await openBackend(kind, () => Date.now() + aheadMs);
  });
  afterAll(() => backend.close());

  const erase = (target: ErasureTarget, over: object = {}) =>
    backend.store.eraseRows({
      model: MODEL,
      target,
      values: [target.kind === 'prediction' ? target.predictionId : target.value],
      atMs: AT_MS,
      settled: async () => undefined,
      ...over,
    });

  const storedRejected = async () =>
    (await backend.store.listRejected({ limit: 100, maxBytes: 1e6 })).map(({ payload }) => payload);

  test.each(MESSAGES)(
    'a rejected message is found by %s, and refused',
    async (what, id, customer, message) => {
      const { store } = backend;
      const theirs = rejectedRow({ model: MODEL, payload: message });
      const other = rejectedRow({
        model: MODEL,
        payload: `{"key":"other","a":"b\\/c","n":1e3,"of":"${what}"}`,
      });
      await store.insertRows({ predictions: [], labels: [], rejected: [theirs, other], token: what });
      const target: ErasureTarget =
        id === null
          ? { kind: 'subject', tag: 'customer', value: String(customer) }
          : { kind: 'prediction', predictionId: id };
      expect((await erase(target, { targetsIn })).erased).toEqual({ rejected: 1 });
      expect(await storedRejected()).not.toContain(message);
      expect(await storedRejected()).toContain(other.payload);
      const refused = await store.erasedRows(targetsIn);
      expect(await refused?.rejected(theirs)).toBe(true);
      expect(await refused?.rejected(other)).toBe(false);
    },
  );

  test('a number beyond 2^53 is not taken for another one that is rounded alike', async () => {
    const { store } = backend;
    const messages = ['{"prediction_id":4234567890123456790}', '{"tags":{"customer":4234567890123456788}}'];
    const rejected = messages.map((payload) => rejectedRow({ model: MODEL, payload }));
    await store.insertRows({ predictions: [], labels: [], rejected, token: 'long' });
    const id = '4234567890123456789';
    expect((await erase({ kind: 'prediction', predictionId: id }, { targetsIn })).erased).toEqual({});
    expect((await erase({ kind: 'subject', tag: 'customer', value: id }, { targetsIn })).erased).toEqual({});
    expect(await storedRejected()).toEqual(expect.arrayContaining(messages));
    const refused = await store.erasedRows(targetsIn);
    expect(await Promise.all(rejected.map((row) => refused?.rejected(row)))).toEqual([false, false]);
    // As text it is a valid id, and not the one that was erased.
    const other = '4234567890123457000';
    expect(String(Number(id))).toBe(other);
    expect(refused?.label(labelRow(other, { model: MODEL }))).toBe(false);
    expect(refused?.label(labelRow(id, { model: MODEL }))).toBe(true);
  });

  test('labels are refused whose predictions came after the erasure of their subject, in each process', async () => {
    await erase({ kind: 'subject', tag: 'customer', value: 'late' });
    const refused = await backend.store.erasedRows();
    const late = predictionRow('late-1', {
      model: MODEL,
      timestampMs: AT_MS,
      tags: named([['customer', 'late']]),
    });
    const label = labelRow('late-1', { model: MODEL });
    expect(refused?.prediction(late)).toBe(true);
    expect(refused?.bySubjectAlone(late)).toBe(true);
    expect(refused?.label(label)).toBe(false);
    await refused?.refuse([late]);
    expect(refused?.label(label)).toBe(true);
    expect(refused?.bySubjectAlone(late)).toBe(false);
    expect(await backend.store.erasedRows()).toBe(refused);
    await backend.reopen();
    const elsewhere = await backend.store.erasedRows();
    expect(elsewhere?.label(label)).toBe(true);
    expect(elsewhere?.label(labelRow('late-2', { model: MODEL }))).toBe(false);
  });

  test('labels that were stored before their prediction was refused are removed', async () => {
    const { store } = backend;
    const shared = [0, 1].map((rowIndex) => labelRow('early-3', { model: MODEL, rowIndex }));
    const labels = [...['early-1', 'early-2'].map((id) => labelRow(id, { model: MODEL })), ...shared];
    // The other row of its call is somebody else's, and was taken.
    const predictions = [predictionRow('early-3', { model: MODEL, rowIndex: 1, timestampMs: AT_MS })];
    await store.insertRows({ predictions, labels, rejected: [], token: 'early' });
    await erase({ kind: 'subject', tag: 'customer', value: 'early' });
    const refused = await store.erasedRows();
    await refused?.refuse(['early-1', 'early-3'].map((predictionId) => ({ model: MODEL, predictionId })));
    expect(await store.removeRefusedLabels()).toBe(0);
    aheadMs = 60_000;
    expect(await store.removeRefusedLabels()).toBe(2);
    expect(await store.removeRefusedLabels()).toBe(0);
    expect(await store.totals()).toMatchObject({ labels: 2 });
  });

  test('messages are looked through page by page', async () => {
    const { store } = backend;
    const rejected = Array.from({ length: 2_500 }, (_, index) =>
      rejectedRow({
        model: MODEL,
        payload: `{"n":${index},"a":"\\/","tags":{"customer":"${index % 5 === 0 ? 'p\\u0061ul' : 'x'}"}}`,
      }),
    );
    await store.insertRows({ predictions: [], labels: [], rejected, token: 'pages' });
    const { erased } = await erase({ kind: 'subject', tag: 'customer', value: 'paul' });
    expect(erased).toEqual({ rejected: 500 });
  });

  test('sides of calls whose ids are stored hashed go with their prediction, and are refused', async () => {
    const { store } = backend;
    const half = (id: string) => ({
      call: JSON.stringify(['hash of the call', `hash of ${id}`]),
      side: 'request' as const,
      timestampMs: Date.now(),
      model: MODEL,
      payload: 'sealed:',
      source: HTTP_SOURCE,
    });
    const prediction = predictionRow('dora-1', {
      model: MODEL,
      timestampMs: AT_MS,
      tags: named([['customer', 'dora']]),
    });
    await store.insertRows({
      predictions: [prediction],
      labels: [],
      rejected: [],
      halves: ['dora-1', 'emil-1'].map(half),
      token: 'dora',
    });
    const { erased, predictionIds } = await erase(
      { kind: 'subject', tag: 'customer', value: 'dora' },
      { formsOfId: (id: string) => [id, `hash of ${id}`] },
    );
    expect(erased).toMatchObject({ predictions: 1, call_halves: 1 });
    expect(predictionIds).toEqual(['dora-1']);
    const refused = await store.erasedRows();
    expect(await refused?.half(half('dora-1'))).toBe(true);
    expect(await refused?.half(half('emil-1'))).toBe(false);
  });
});
