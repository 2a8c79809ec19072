import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ModelVersion } from '../../src/domain/model.js';
import { PRODUCTION } from '../../src/domain/ports.js';
import { DAY_MS, HOUR_MS, tile } from '../../src/domain/window.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import {
  attempt,
  episode,
  event,
  fillOutbox,
  hour,
  outcome,
  run,
  START_MS,
  verdict,
} from '../support/entities.js';
import { PLAIN_SETTING } from '../support/performance-rows.js';
import { reportOf, reportRun } from '../support/reports.js';
import { HTTP_SOURCE, labelRow, predictionRow, rejectedRow } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const AT_MS = Date.UTC(2026, 0, 5, 3);
const GONE = 'a model';
const KEPT = "it's";
const versionOf = (model: string): ModelVersion => ({
  model,
  modelVersion: '1',
  schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }], label: true },
  registeredAtMs: 0,
});

describe.each(BACKENDS)('deleting a model in the %s store', (kind) => {
  let backend: StoreBackend;
  let admin: StoreClient;
  let fills = 0;

  /** Something in every table. */
  async function fill(model: string, cutPoints: readonly number[]): Promise<void> {
    const { store } = backend;
    const key = { model, modelVersion: '1' };
    // The engine takes no token twice, whatever was deleted since.
    fills += 1;
    await store.saveModel(versionOf(model));
    await store.saveGrids(model, [{ kind: 'numeric', feature: 'age', cutPoints, quantum: 1 }]);
    const id = (name: string) => `${model} ${name}`;
    await store.insertRows({
      predictions: [predictionRow('p', { ...key, timestampMs: AT_MS })],
      labels: [labelRow('p', { ...key, timestampMs: AT_MS })],
      rejected: [rejectedRow({ model }), rejectedRow()],
      halves: [
        { call: 'c', side: 'request', timestampMs: Date.now(), model, payload: '{}', source: HTTP_SOURCE },
      ],
      token: `token ${fills}`,
    });
    await store.profileHours(versionOf(model), [AT_MS]);
    await store.profileLabels([versionOf(model)]);
    await store.measurePerformance(versionOf(model), PLAIN_SETTING);
    await store.saveErrorStream(
      key,
      {
        cursor: { storedMs: AT_MS, labelMs: AT_MS, fingerprint: '1' },
        position: 1,
        unmatched: 0,
        scale: 1,
        detectors: {},
      },
      [{ detector: 'adwin', position: 1, labelMs: AT_MS }],
    );
    await store.saveReference({
      ...key,
      hash: 'h',
      rows: 1,
      period: null,
      provenance: 'test',
      createdAtMs: 0,
      nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
      forest: null,
    });
    await store.saveReferenceSample({ ...key, hash: 'h' }, { text: '{}', production: false });
    await store.saveReferenceChange({
      ...key,
      kind: 'registered',
      hash: 'h',
      previousHash: null,
      atMs: 0,
      by: 'local',
      reason: '',
    });
    const rows = await store.unscoredRows(versionOf(model), ['age'], 10);
    await store.saveScores(
      key,
      'h',
      rows.map((row) => ({ row, score: 1, flagged: true, reasons: [] })),
    );
    await store.saveVerdicts([
      verdict('age', hour(0), key),
      verdict('age', hour(0), { ...key, segment: { column: 'tags.region', value: 'eu' } }),
    ]);
    await store.segmentsOf(versionOf(model), { by: ['tags.region'], top: 1 });
    await store.saveOutcomes([{ ...outcome(hour(0), 'clean'), ...key }]);
    await store.saveRun(run(0, key));
    await store.saveEpisode(episode(id('episode'), key));
    await store.saveMark({ model, episodeId: id('episode'), mark: 'true', note: '', atMs: START_MS });
    const said = { by: 'ada', via: 'local', note: '', atMs: START_MS };
    const snooze = { category: null, episodeId: null, kind: 'snoozed', untilMs: START_MS } as const;
    await store.saveAction({ model, id: 'a', ...snooze, ...said });
    await store.savePolicy({ model, policy: {}, ...said });
    await store.saveRetraining({
      model,
      episodeId: id('episode'),
      modelVersion: '2',
      announcedAtMs: START_MS,
      by: 'local',
    });
    await store.saveReport(reportOf({ model, id: id('report') }));
    await store.saveReportRun(reportRun({ model, id: id('report') }));
    await store.saveEvent(event(id('event'), { model }));
    await store.saveAttempt(attempt(id('event'), 1, 'retry'));
    await store.saveHold({ model, hook: '', reason: 'paused', held: true, detail: '', atMs: START_MS });
  }

  /** Rows of every table that can hold some of a model, without the service's own. */
  async function counts(): Promise<Record<string, number>> {
    const tables = await admin.query<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name",
    );
    const found: Record<string, number> = {};
    for (const { name } of tables) {
      // What was erased stays refused, whatever becomes of the model.
      const stays = ['erasures', 'tombstones', 'tombstone_keys'];
      if (['schema_migrations', 'insert_probe', 'leases', ...stays].includes(name)) continue;
      const [row] = await admin.query<{ n: number }>(`SELECT count() AS n FROM ${name}`);
      found[name] = row?.n ?? 0;
    }
    return found;
  }

  beforeAll(async () => {
    backend = await openBackend(kind);
    admin = await createStoreClient(backend.location);
  });
  afterAll(async () => {
    await admin.close();
    await backend.close();
  });

  test('every table loses its rows, and those of another model stay', async () => {
    await fill(KEPT, [10]);
    const before = await counts();
    // A table without a row here is one that this test, and perhaps the deletion, has forgotten.
    expect(Object.entries(before).filter(([, n]) => n === 0)).toEqual([]);
    await fill(GONE, [10]);
    const removed = await backend.store.deleteModel(GONE);
    const now = await counts();
    // The rejected row that names no model is nobody's.
    expect(now).toEqual({ ...before, rejected: (before.rejected ?? 0) + 1 });
    expect(removed).toMatchObject({ models: 1, predictions: 1, labels: 1, profiles: 2, rejected: 1 });
    expect((await backend.store.listModels()).map(({ model }) => model)).toEqual([KEPT]);
  });

  test('a model with 50,000 events goes with all attempts to deliver them', async () => {
    const before = await counts();
    await backend.store.saveModel(versionOf(GONE));
    await fillOutbox(admin, GONE, 50_000);
    expect((await counts()).webhook_attempts).toBe((before.webhook_attempts ?? 0) + 50_000);
    expect(await backend.store.deleteModel(GONE)).toEqual({
      models: 1,
      webhook_attempts: 50_000,
      webhook_events: 50_000,
    });
    expect(await counts()).toEqual(before);
  });

  test('a second deletion finds nothing', async () => {
    expect(await backend.store.deleteModel(GONE)).toEqual({});
    expect(await backend.store.deleteModel("x' OR 1 = 1 --")).toEqual({});
    expect((await backend.store.listModels()).map(({ model }) => model)).toEqual([KEPT]);
  });

  test('what was sent stays when told so, and what was made of it goes', async () => {
    const before = await counts();
    await fill(GONE, [10]);
    const { predictions, labels, rejected, call_halves } = await counts();
    await backend.store.deleteModel(GONE, { keepRows: true });
    expect(await counts()).toEqual({ ...before, predictions, labels, rejected, call_halves });
    await backend.store.deleteModel(GONE);
  });

  test('the name can be used again, with other grids and for rows sent before', async () => {
    await fill(GONE, [10]);
    await backend.store.deleteModel(GONE);
    await fill(GONE, [31]);
    const [grid] = await backend.store.listGrids(GONE);
    expect(grid).toMatchObject({ cutPoints: [31] });
    const profiles = await backend.store.mergedProfiles(
      { model: GONE, modelVersion: '1', scope: PRODUCTION },
      tile({ startMs: AT_MS, endMs: AT_MS + HOUR_MS }),
    );
    expect(profiles[0]).toMatchObject({ rows: 1, counts: [0, 1, 0] });
    expect(await backend.store.listRuns({ model: GONE, modelVersion: '1' }, 0, AT_MS + DAY_MS)).toHaveLength(
      1,
    );
  });
});
