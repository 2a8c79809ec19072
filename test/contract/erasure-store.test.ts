import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ErasureTarget } from '../../src/domain/erasure.js';
import type { ModelVersion } from '../../src/domain/model.js';
import { PRODUCTION } from '../../src/domain/ports.js';
import { HOUR_MS, tile } from '../../src/domain/window.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { episode, event, hour, outcome, verdict } from '../support/entities.js';
import { PLAIN_SETTING } from '../support/performance-rows.js';
import { HTTP_SOURCE, labelRow, named, predictionRow, rejectedRow } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';
import { storedText } from '../support/stored-text.js';

const AT_MS = Date.UTC(2026, 0, 5, 3);
const KEY = { model: "it's", modelVersion: '1' };
const MODEL: ModelVersion = {
  ...KEY,
  schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }], label: true },
  registeredAtMs: 0,
};
/** Awkward in statements and in JSON. */
const ANN = 'ann "O\'Hara" \\ Zürich';
const SEGMENTS = { by: ['tags.customer'], top: 5 };

describe.each(BACKENDS)('erasure in the %s store', (kind) => {
  let backend: StoreBackend;
  let admin: StoreClient;
  let batches = 0;

  const row = (id: string, customer: string, over = {}) =>
    predictionRow(id, { ...KEY, timestampMs: AT_MS, tags: named([['customer', customer]]), ...over });
  const erase = (target: ErasureTarget, values: readonly string[]) =>
    backend.store.eraseRows({
      model: KEY.model,
      target,
      values,
      atMs: AT_MS + HOUR_MS,
      settled: async () => undefined,
    });

  /** Two rows of a customer and one of another, in every table that keeps rows. */
  async function fill(): Promise<void> {
    const { store } = backend;
    batches += 1;
    await store.saveModel(MODEL);
    await store.saveGrids(KEY.model, [{ kind: 'numeric', feature: 'age', cutPoints: [31], quantum: 1 }]);
    const payload = (id: string, customer: string) =>
      JSON.stringify({ prediction_id: id, model: KEY.model, tags: { customer }, features: {} });
    const escaped = payload('other-id', ANN).replace('ü', '\\u00fc');
    await store.insertRows({
      predictions: [row('ann-1', ANN), row('ann-2', ANN, { rowIndex: 3 }), row('bob-1', 'bob')],
      labels: ['ann-1', 'bob-1'].map((id) => labelRow(id, { ...KEY, timestampMs: AT_MS })),
      rejected: [
        rejectedRow({ model: KEY.model, payload: payload('ann-1', ANN) }),
        rejectedRow({ payload: `{"id":"ann-2", broken`, rowIndex: 1 }),
        rejectedRow({ model: KEY.model, payload: escaped, rowIndex: 2 }),
        rejectedRow({
          model: KEY.model,
          payload: JSON.stringify({ log: payload('ann-2', 'x') }),
          rowIndex: 3,
        }),
        rejectedRow({ model: KEY.model, payload: payload('bob-1', 'bob'), rowIndex: 4 }),
        rejectedRow({ model: 'another', payload: payload('ann-1', 'bob'), rowIndex: 5 }),
      ],
      halves: ['ann-1', 'bob-1'].map((id) => ({
        call: JSON.stringify(['source', id]),
        side: 'request' as const,
        timestampMs: Date.now(),
        model: KEY.model,
        payload: JSON.stringify({ id, data: {} }),
        source: HTTP_SOURCE,
      })),
      token: `token ${batches}`,
    });
    const segments = await store.segmentsOf(MODEL, SEGMENTS);
    await store.profileSegments(MODEL, segments, [AT_MS]);
    await store.profileHours(MODEL, [AT_MS]);
    await store.profileLabels([MODEL]);
    await store.measurePerformance(MODEL, {
      ...PLAIN_SETTING,
      segmentColumns: ['tags.customer'],
      segments,
    });
    const annsSegment = { column: 'tags.customer', value: ANN };
    const driver = {
      feature: 'age',
      segment: annsSegment,
      detector: 'ks',
      statistic: 1,
      threshold: 1,
      effect: 1,
    };
    await store.saveEpisode(episode('e', { ...KEY, drivers: [driver] }));
    const drifted = verdict('age', hour(0), { ...KEY, segment: annsSegment });
    await store.saveOutcomes([{ ...outcome(hour(0), 'drifted'), ...KEY, drivers: [drifted] }]);
    await store.saveEvent(event('w', { model: KEY.model, body: JSON.stringify({ drivers: [driver] }) }));
    const rows = await store.unscoredRows(MODEL, ['age'], 10);
    await store.saveReference({
      ...KEY,
      hash: 'h',
      rows: 1,
      period: null,
      provenance: 'test',
      createdAtMs: 0,
      nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
      segments: [{ segment: annsSegment, rows: 2, nullModel: { kind: 'iid', pieceMs: 0, spreads: [] } }],
      forest: null,
    });
    await store.saveScores(
      KEY,
      'h',
      rows.map((scored) => ({ row: scored, score: 1, flagged: true, reasons: [] })),
    );
    await store.saveVerdicts(
      [ANN, 'bob'].map((value) =>
        verdict('age', hour(0), { ...KEY, segment: { column: 'tags.customer', value } }),
      ),
    );
  }

  /** Tables in which one of the texts stands, as the engine's answers spell it. */
  async function tablesWith(...texts: readonly string[]): Promise<string[]> {
    const stored = await storedText(admin);
    const spelt = texts.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
    const deep = spelt.map((text) => JSON.stringify(text).slice(1, -1));
    return Object.keys(stored).filter((table) =>
      [...spelt, ...deep].some((text) => stored[table]?.includes(text)),
    );
  }

  beforeAll(async () => {
    backend = await openBackend(kind);
    admin = await createStoreClient(backend.location);
    await fill();
  });
  afterAll(async () => {
    await admin.close();
    await backend.close();
  });

  test('nothing is refused before anything was erased', async () => {
    expect(await backend.store.erasedRows()).toBeNull();
  });

  test('one prediction goes from every table, with its label, copies, scores and messages', async () => {
    const before = await tablesWith('ann-1');
    expect(before).toEqual(
      expect.arrayContaining(['call_halves', 'labels', 'outlier_scores', 'predictions', 'rejected']),
    );
    const { erased, predictionIds } = await erase({ kind: 'prediction', predictionId: 'ann-1' }, ['ann-1']);
    expect(erased).toEqual({
      predictions: 1,
      labels: 1,
      outlier_scores: 1,
      performance_rows: 1,
      rejected: 1,
      call_halves: 1,
    });
    expect(predictionIds).toEqual(['ann-1']);
    // The other model's message is none of its business.
    expect(await tablesWith('ann-1')).toEqual(['rejected']);
  });

  test('a subject goes from every table, with the counts of its own segment', async () => {
    expect(await tablesWith(ANN, 'Z\\u00fcrich')).toEqual(
      expect.arrayContaining([
        'episodes',
        'outcomes',
        'performance_rows',
        'predictions',
        'profiles',
        'references',
        'rejected',
        'segment_values',
        'webhook_events',
      ]),
    );
    const { erased, predictionIds } = await erase({ kind: 'subject', tag: 'customer', value: ANN }, [ANN]);
    expect(erased).toMatchObject({ predictions: 1, outlier_scores: 1, performance_rows: 1, rejected: 3 });
    expect(Object.keys(erased)).toEqual(expect.arrayContaining(['segment_verdicts', 'profiles']));
    expect(predictionIds).toEqual(['ann-2']);
    expect(await tablesWith(ANN, 'Z\\u00fcrich', 'ann-2')).toEqual([]);
  });

  test('others stay, and so do the counts of all rows', async () => {
    const [stored] = await admin.query<object>(
      `SELECT (SELECT count() FROM predictions) AS predictions, (SELECT count() FROM labels) AS labels,
         (SELECT count() FROM performance_rows) AS copies, (SELECT count() FROM outlier_scores) AS scores,
         (SELECT count() FROM rejected) AS rejected, (SELECT count() FROM call_halves) AS halves`,
    );
    expect(stored).toEqual({ predictions: 1, labels: 1, copies: 1, scores: 1, rejected: 2, halves: 1 });
    const [profile] = await backend.store.mergedProfiles(
      { ...KEY, scope: PRODUCTION },
      tile({ startMs: AT_MS, endMs: AT_MS + HOUR_MS }),
    );
    expect(profile).toMatchObject({ rows: 3 });
    expect((await backend.store.segmentsOf(MODEL, SEGMENTS)).map(({ value }) => value)).toEqual(['bob']);
  });

  test('documents that name the segment stay without its name', async () => {
    const [kept] = await backend.store.listEpisodes({ model: KEY.model, limit: 1 });
    expect(kept?.drivers).toMatchObject([
      { feature: 'age', segment: { column: 'tags.customer', value: 'erased' } },
    ]);
    const [listed] = await backend.store.listEvents({ model: KEY.model, limit: 1 });
    expect(JSON.parse(listed?.event.body ?? '')).toMatchObject({
      drivers: [{ segment: { value: 'erased' } }],
    });
    expect((await backend.store.currentReference(KEY))?.segments).toMatchObject([
      { segment: { value: 'erased' } },
    ]);
  });

  test('erasing again finds nothing', async () => {
    expect((await erase({ kind: 'prediction', predictionId: 'ann-1' }, ['ann-1'])).erased).toEqual({});
    expect((await erase({ kind: 'subject', tag: 'customer', value: ANN }, [ANN])).erased).toEqual({});
    const hostile = "x' OR 1 = 1 --";
    expect((await erase({ kind: 'prediction', predictionId: hostile }, [hostile])).erased).toEqual({});
    expect((await erase({ kind: 'subject', tag: hostile, value: '' }, [''])).erased).toEqual({});
  });

  test('what was erased is refused, also after a restart, and nobody else is', async () => {
    await backend.reopen();
    const refused = await backend.store.erasedRows();
    if (refused === null) throw new Error('nothing is refused');
    expect(await backend.store.erasedRows()).toBe(refused);
    expect(refused.concerns([{ model: KEY.model }])).toBe(true);
    expect(refused.concerns([{ model: 'another' }])).toBe(false);
    expect(refused.prediction(row('ann-1', 'x'))).toBe(true);
    expect(refused.prediction(row('ann-1', 'x', { modelVersion: '2', rowIndex: 9 }))).toBe(true);
    expect(refused.prediction(row('ann-1', 'x', { model: 'another' }))).toBe(false);
    expect(refused.prediction(row('bob-1', 'bob'))).toBe(false);
    // A subject may come back by itself: only what was before its erasure is refused.
    expect(refused.prediction(row('new', ANN))).toBe(true);
    expect(refused.prediction(row('new', ANN, { timestampMs: AT_MS + HOUR_MS + 1 }))).toBe(false);
    expect(refused.label(labelRow('ann-2', KEY))).toBe(true);
    expect(refused.label(labelRow('bob-1', KEY))).toBe(false);
    expect(await refused.rejected(rejectedRow({ payload: '{"id":"ann-2", broken' }))).toBe(true);
    expect(
      await refused.rejected(rejectedRow({ payload: JSON.stringify({ tags: { customer: ANN } }) })),
    ).toBe(true);
    expect(await refused.rejected(rejectedRow({ model: KEY.model, payload: '{"id":"bob-1"}' }))).toBe(false);
  });

  test('late rows of an hour are counted at once, and not when they outnumber what was erased', async () => {
    const { store } = backend;
    expect(await store.dirtyBuckets(AT_MS + 10 * HOUR_MS)).toEqual([]);
    await store.insertRows({ predictions: [row('late', 'bob')], labels: [], rejected: [], token: 'late' });
    expect(await store.dirtyBuckets(AT_MS + 10 * HOUR_MS)).toMatchObject([
      { ...KEY, hourStartsMs: [Math.floor(AT_MS / HOUR_MS) * HOUR_MS] },
    ]);
  });

  test('a subject whose predictions have expired is known by its segment', async () => {
    const { store } = backend;
    await store.insertRows({
      predictions: [row('carl-1', 'carl')],
      labels: [labelRow('carl-1', { ...KEY, timestampMs: AT_MS })],
      rejected: [],
      token: 'carl',
    });
    await store.measurePerformance(MODEL, { ...PLAIN_SETTING, segmentColumns: ['tags.customer'] });
    await admin.command(
      "ALTER TABLE predictions DELETE WHERE prediction_id = 'carl-1' SETTINGS mutations_sync = 2",
    );
    const { erased, predictionIds } = await erase({ kind: 'subject', tag: 'customer', value: 'carl' }, [
      'carl',
    ]);
    expect(erased).toMatchObject({ labels: 1, performance_rows: 1 });
    expect(predictionIds).toEqual(['carl-1']);
  });

  test('the tombstones name nobody', async () => {
    const stored = await storedText(admin);
    for (const text of ['ann-', 'Zürich', 'carl']) {
      expect(stored.tombstones).not.toContain(text);
      expect(stored.erasures).not.toContain(text);
    }
  });

  test('and no mutation that the engine remembers', async () => {
    const kept = await admin.query<{ table: string; command: string }>(
      "SELECT table, command FROM system.mutations WHERE database = currentDatabase() AND match(command, 'ann-|Zürich')",
    );
    expect(kept).toEqual([]);
  });

  test('what was done is listed, the newest first', async () => {
    const erasure = (id: string, atMs: number) => ({
      id,
      model: KEY.model,
      kind: 'prediction' as const,
      atMs,
      by: 'local',
      reason: '',
      erased: { predictions: 1 },
      predictionIds: 1,
    });
    await backend.store.saveErasure(erasure('a', 1));
    await backend.store.saveErasure(erasure('b', 2));
    expect(await backend.store.listErasures(KEY.model)).toEqual([erasure('b', 2), erasure('a', 1)]);
    expect(await backend.store.listErasures('another')).toEqual([]);
  });

  test('samples of production rows go with any row of the model, those of files stay', async () => {
    const { store } = backend;
    await store.saveReferenceSample({ ...KEY, hash: 'file' }, { text: 'a', production: false });
    await store.saveReferenceSample({ ...KEY, hash: 'past' }, { text: 'b', production: true });
    expect(await store.referenceSample({ ...KEY, hash: 'past' })).toEqual({ text: 'b', production: true });
    const { erased } = await erase({ kind: 'prediction', predictionId: 'of old' }, ['of old']);
    expect(erased.reference_samples).toBe(1);
    expect(await store.referenceSample({ ...KEY, hash: 'past' })).toBeNull();
    expect(await store.referenceSample({ ...KEY, hash: 'file' })).toEqual({ text: 'a', production: false });
  });
});
