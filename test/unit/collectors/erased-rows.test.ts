import { describe, expect, jest, test } from '@jest/globals';
import { placedBack, withoutErased } from '../../../src/collectors/erased-rows.js';
import { createRowWriter } from '../../../src/collectors/row-writer.js';
import { createSharedInserts } from '../../../src/collectors/shared-inserts.js';
import { type ErasedRows, isMentioned, mentionsIn } from '../../../src/domain/erasure.js';
import type { RowBatch } from '../../../src/domain/ports.js';
import { createLogger } from '../../../src/logger.js';
import { createMetrics } from '../../../src/metrics.js';
import { labelRow, named, PLAIN_LISTS, predictionRow, rejectedRow } from '../../support/rows.js';

const GONE = new Set(['gone-1', 'gone-2']);
const erased: ErasedRows = {
  concerns: () => true,
  prediction: ({ predictionId }) => GONE.has(predictionId),
  label: ({ predictionId }) => GONE.has(predictionId),
  rejected: async ({ payload }) => (payload.includes('huge') ? 'unknown' : payload.includes('gone')),
  half: async ({ call }) => call.includes('gone'),
  bySubjectAlone: () => false,
  refuse: async () => undefined,
};

/** Knows the ids that it was given before. */
function setUp(known: readonly string[] = [], refused: ErasedRows = erased) {
  const batches: RowBatch[] = [];
  const metrics = createMetrics();
  const writer = createRowWriter({
    store: {
      ...PLAIN_LISTS,
      findDuplicatePredictions: async (rows) =>
        new Set(
          [...rows].flatMap(({ predictionId }, index) => (known.includes(predictionId) ? [index] : [])),
        ),
      findDuplicateLabels: async (rows) =>
        new Set(rows.flatMap(({ predictionId }, index) => (known.includes(predictionId) ? [index] : []))),
      insertRows: async (batch) => {
        batches.push(batch);
      },
    },
    metrics,
    clock: { now: () => 0, observe: () => undefined },
    logger: createLogger({ level: 'silent' }),
    erased: () => refused,
  });
  return { writer, batches, metrics };
}

describe('rows that were erased and come again', () => {
  test('are counted, told by position, and not stored; duplicates keep their place', async () => {
    const { writer, batches, metrics } = setUp(['old']);
    const ids = ['gone-1', 'a', 'old', 'gone-2', 'b', 'old'];
    const half = (call: string) => ({
      call,
      side: 'request' as const,
      timestampMs: 0,
      model: 'churn',
      payload: '',
      source: rejectedRow().source,
    });
    const result = await writer.write({
      predictions: ids.map((id) => predictionRow(id)),
      labels: ['old', 'gone-1', 'a'].map((id) => labelRow(id)),
      rejected: [
        rejectedRow({ payload: 'gone' }),
        rejectedRow(),
        rejectedRow({ kind: 'label', payload: 'gone' }),
      ],
      halves: [half('gone'), half('kept')],
      token: 't',
    });
    expect(result).toEqual({
      predictions: { received: 8, accepted: 2, duplicate: 2, rejected: 1, erased: 3 },
      labels: { received: 4, accepted: 1, duplicate: 1, rejected: 0, erased: 2 },
      duplicatePredictions: new Set([2, 5]),
      duplicateLabels: new Set([0]),
      erased: { predictions: new Set([0, 3]), labels: new Set([1]), rejected: new Set([0, 2]) },
    });
    const [batch] = batches;
    expect([...(batch?.predictions ?? [])].map(({ predictionId }) => predictionId)).toEqual(['a', 'b']);
    expect(batch?.labels.map(({ predictionId }) => predictionId)).toEqual(['a']);
    expect(batch?.rejected).toHaveLength(1);
    expect(batch?.halves?.map(({ call }) => call)).toEqual(['kept']);
    const text = await metrics.registry.metrics();
    expect(text).toContain('plumbline_erased_total{kind="prediction"} 3');
    expect(text).toContain('plumbline_received_total{kind="prediction",source="http"} 8');
    expect(text).toMatch(/plumbline_rejected_total\{kind="prediction",reason="malformed_json"\} 1/);
  });

  test('are withheld with messages of which that is not known, which say so', async () => {
    const rejected = ['fine', 'huge', 'gone', 'huge'].map((payload) => rejectedRow({ payload }));
    const { batch, positions } = await withoutErased(
      { predictions: [], labels: [], rejected, token: 't' },
      erased,
    );
    expect([...positions.rejected]).toEqual([2]);
    expect(batch.rejected.map(({ payload }) => payload)).toEqual(['fine', '', '']);
    expect(batch.rejected.map(({ detail }) => detail.includes('the message is not kept'))).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('go with all rows of their call, whosever these are, and wherever they stand', async () => {
    const noted: string[] = [];
    const predictions = [
      predictionRow('call', { rowIndex: 0 }),
      predictionRow('other'),
      predictionRow('call', { rowIndex: 1, tags: named([['customer', 'gone']]) }),
      predictionRow('call', { rowIndex: 2 }),
      predictionRow('call', { model: 'another' }),
    ];
    const { positions } = await withoutErased(
      { predictions, labels: [labelRow('call'), labelRow('other')], rejected: [], token: 't' },
      {
        ...erased,
        prediction: ({ tags }) => tags.values.includes('gone'),
        bySubjectAlone: () => true,
        refuse: async (rows) => {
          noted.push(...rows.map(({ predictionId }) => predictionId));
        },
        label: ({ predictionId }) => noted.includes(predictionId),
      },
    );
    expect([...positions.predictions].sort()).toEqual([0, 2, 3]);
    expect([...positions.labels]).toEqual([0]);
    expect(noted).toEqual(['call']);
  });

  test('of an erased subject are refused by their ids before labels are looked at, however often that fails', async () => {
    const noted = new Set<string>();
    let failures = 1;
    const { writer, batches } = setUp([], {
      ...erased,
      prediction: ({ tags, predictionId }) => tags.values.includes('gone') || noted.has(predictionId),
      label: ({ predictionId }) => noted.has(predictionId),
      bySubjectAlone: ({ predictionId }) => !noted.has(predictionId),
      refuse: async (rows) => {
        failures -= 1;
        if (failures >= 0) throw new Error('away');
        for (const { model, predictionId } of rows)
          noted.add(`${model === 'churn' ? '' : model}${predictionId}`);
      },
    });
    const theirs = { tags: named([['customer', 'gone']]) };
    const result = await writer.write({
      predictions: [predictionRow('a', theirs), predictionRow('b')],
      labels: ['a', 'b'].map((id) => labelRow(id)),
      rejected: [],
      token: 't',
    });
    expect(result.erased).toMatchObject({ predictions: new Set([0]), labels: new Set([0]) });
    expect(batches[0]?.labels.map(({ predictionId }) => predictionId)).toEqual(['b']);
    expect([...noted]).toEqual(['a']);
  });

  test('are looked for in large messages with a turn of the event loop between them', async () => {
    let turns = 0;
    const seen: number[] = [];
    const tick = () => {
      turns += 1;
      handle = setImmediate(tick);
    };
    let handle = setImmediate(tick);
    const look = async () => {
      seen.push(turns);
      return false;
    };
    const payload = 'x'.repeat(200_000);
    const half = { call: '', side: 'request' as const, timestampMs: 0, model: 'churn', payload };
    const { source } = rejectedRow();
    await withoutErased(
      {
        predictions: [],
        labels: [],
        rejected: Array.from({ length: 4 }, () => rejectedRow({ payload })),
        halves: Array.from({ length: 4 }, () => ({ ...half, source })),
        token: 't',
      },
      { ...erased, rejected: look, half: look },
    );
    clearImmediate(handle);
    expect(new Set(seen).size).toBe(8);
  });

  test('are counted for the request that they came with', async () => {
    const { writer } = setUp(['old']);
    const inserts = createSharedInserts({
      writer,
      join: PLAIN_LISTS.joinPredictions,
      tokenPrefix: 't',
      maxDelayMs: 20,
    });
    const submit = (ids: readonly string[], payloads: readonly string[] = []) =>
      inserts.submit({
        predictions: ids.map((id) => predictionRow(id)),
        labels: [],
        rejected: payloads.map((payload) => rejectedRow({ payload })),
        bytes: 1,
      });
    const answers = await Promise.all([
      submit(['a', 'gone-1'], ['gone', 'bad']),
      submit(['b', 'old']),
      submit(['gone-2'], ['bad']),
    ]);
    await inserts.stop();
    expect(answers).toEqual([
      { received: 4, accepted: 1, duplicate: 0, rejected: 1, erased: 2 },
      { received: 2, accepted: 1, duplicate: 1, rejected: 0 },
      { received: 2, accepted: 0, duplicate: 0, rejected: 1, erased: 1 },
    ]);
  });

  test.each([
    [[], [], []],
    [[0], [], [0]],
    [
      [0, 1],
      [0, 2],
      [1, 3],
    ],
    [[2], [0, 1], [4]],
  ])('positions %j without %j are %j', (positions, gone, placed) => {
    expect([...placedBack(new Set(positions), new Set(gone))]).toEqual(placed);
  });
});

describe('a message is of a prediction', () => {
  test('where a quote too many, as of inches, stands before it, behind it, or in between', () => {
    const target = { kind: 'subject', tag: 'customer', value: 'c-17' } as const;
    const isFound = (text: string) => [
      isMentioned(text, target, new Set(['c-17'])),
      isMentioned(text, { kind: 'prediction', predictionId: 'p-1' }, new Set(['p-1'])),
    ];
    const event = '"prediction_id":"p-1","tags":{"customer":"c-17","n":5}';
    for (const stray of ['"size":"5" wide"', '"size":5"', '"a":"4" by 5"", "b":"\\" 6""'])
      for (const text of [`{${stray},${event}}`, `{${event},${stray}}`, `{${stray},${event},${stray}}`])
        expect({ text, found: isFound(text) }).toEqual({ text, found: [true, true] });
    expect(isFound('{"size":"5" wide","prediction_id":"p-2","tags":{"customer":"c-18"}}')).toEqual([
      false,
      false,
    ]);
  });

  const of = (text: string, id: string) =>
    isMentioned(text, { kind: 'prediction', predictionId: id }, new Set([id]));
  test.each([
    ['{"prediction_id":"p1"}', 'p1', true],
    ['{"prediction_id":17}', '17', true],
    ['{"features":{"age":"p1"}}', 'p1', false],
    ['{"features":{"ref":"a long id"}}', 'a long id', true],
    ['{"log":"{\\"id\\":\\"p1\\"}"}', 'p1', true],
    ['[{"eventMetadata":{"inferenceId":"p1"}}]', 'p1', true],
    ['{"id":"p1", broken', 'p1', true],
    ['{"id":"p12", broken', 'p1', false],
    ['', 'p1', false],
    ['{"id":"p\\u0031", broken', 'p1', true],
    ['{"a":"x\\\n,"id":"p1"', 'p1', true],
  ])('%s of %s: %p', (text, id, expected) => {
    expect(of(text, id)).toBe(expected);
  });

  test('also after a long text, and after one that has lost its quote; not in one without an end', () => {
    const quotes = '\\"'.repeat(9_000);
    const long = 'x'.repeat(20_000);
    expect(of(`{"a":"${quotes}","id":"p1", broken`, 'p1')).toBe(true);
    expect(of(`{"a":"${long}","id":"p1", broken`, 'p1')).toBe(true);
    expect(of(`{"a":"${long},"id":"p1", broken`, 'p1')).toBe(true);
    expect(of(`{"a":"${quotes}`, 'p1')).toBe(false);
  });

  test('and of a subject by its tag', () => {
    const is = (text: string) =>
      isMentioned(text, { kind: 'subject', tag: 'customer', value: 'c' }, new Set(['c']));
    expect(is('{"tags":{"customer":"c"}}')).toBe(true);
    expect(is('{"tags":{"region":"c"}}')).toBe(false);
    expect(is('{"tags":{"customer":"c", broken')).toBe(true);
  });

  test('with more values than are looked at by what stands in quotes; one with as many values by each', () => {
    const nested = (inner: string) => `{"a":${'['.repeat(240)}${inner}${']'.repeat(240)}}`;
    const numbers = (n: number) => '1234,'.repeat(n);
    expect([...mentionsIn(nested(`${numbers(300_000)}1`))].length).toBeLessThan(200_000);
    expect(of(nested(`${numbers(300_000)}{"id":17}`), '17')).toBe(false);
    expect(of(nested(`${numbers(300_000)}{"id":"p1"}`), 'p1')).toBe(true);
    expect(of(nested(`${numbers(150_000)}{"id":17}`), '17')).toBe(true);
  });

  test('with more JSON inside of texts than is read by what stands in quotes', () => {
    const parse = jest.spyOn(JSON, 'parse');
    try {
      expect(of(`[${'"{x",'.repeat(150_000)}"p1"]`, 'p1')).toBe(true);
      expect(parse.mock.calls.length).toBeLessThan(10_000);
    } finally {
      parse.mockRestore();
    }
  });
});
