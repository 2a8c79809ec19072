import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Episode } from '../../../src/domain/episode.js';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { Reference } from '../../../src/domain/reference.js';
import type { Retraining } from '../../../src/domain/retraining.js';
import { createAnnouncer } from '../../../src/jobs/announce-version.js';
import { createMemoryAlertStore } from '../../support/memory-alert-store.js';
import { hourWindow } from '../../support/outcomes.js';

const NOW_MS = 9_000;
const version = (modelVersion: string, registeredAtMs: number, model = 'churn'): ModelVersion => ({
  model,
  modelVersion,
  schema: {
    task: 'binary',
    features: [
      { name: 'age', kind: 'numeric' },
      { name: `only ${modelVersion}`, kind: 'numeric' },
    ],
    label: true,
    latency: true,
  },
  registeredAtMs,
});
const episode = (id: string, modelVersion = '1'): Episode => ({
  id,
  model: 'churn',
  modelVersion,
  category: 'drift',
  severity: 'warning',
  state: 'open',
  firstWindow: hourWindow(0),
  openedBy: hourWindow(1),
  closedBy: null,
  lastWindow: hourWindow(1),
  drivers: [],
  openedAtMs: 1_000,
  closedAtMs: null,
});

describe('createAnnouncer', () => {
  let alerts: ReturnType<typeof createMemoryAlertStore>;
  let models: ModelVersion[];
  let saved: Retraining[];

  /** An event of an episode, with how its delivery ended. */
  async function asked(
    episodeId: string,
    outcome: 'delivered' | 'failed' | 'skipped' | 'retry',
    { createdAtMs = 1_000, type = 'retraining.requested' } = {},
  ) {
    const id = `evt_${episodeId}_${type}`;
    const base = { model: 'churn', hook: 'retrain', body: '{}' };
    await alerts.store.saveEvent({ ...base, id, type, episodeId, createdAtMs });
    await alerts.store.saveAttempt({
      eventId: id,
      attempt: 1,
      outcome,
      status: 200,
      detail: '',
      atMs: createdAtMs,
      nextAttemptAtMs: null,
    });
    return id;
  }

  const announce = (more: Partial<Parameters<ReturnType<typeof createAnnouncer>>[0]> = {}) =>
    createAnnouncer({
      store: {
        ...alerts.store,
        listModels: async () => models,
        saveModel: async (model) => {
          models = [...models.filter(({ modelVersion }) => modelVersion !== model.modelVersion), model];
        },
        deleteModel: async () => ({}),
        currentReference: async () => null,
        listRetrainings: async () => saved,
        saveRetraining: async (retraining) => {
          saved.push(retraining);
        },
      },
      clock: { now: () => NOW_MS },
      logger: { info: () => undefined },
      modelSaved: async () => undefined,
    })({ model: 'churn', modelVersion: '3', by: 'key1', ...more });

  beforeEach(async () => {
    alerts = createMemoryAlertStore();
    models = [version('1', 10), version('2', 20), version('9', 99, 'other')];
    saved = [];
    await alerts.store.saveEpisode(episode('e1'));
    await alerts.store.saveEpisode(episode('e2'));
  });

  it('answers the episodes whose request was delivered, once, whoever says it again', async () => {
    await asked('e1', 'delivered');
    await asked('e2', 'delivered', { type: 'drift.detected' });
    const link = { model: 'churn', modelVersion: '3', episodeId: 'e1', announcedAtMs: NOW_MS, by: 'key1' };
    expect(await announce()).toMatchObject({ saved: true, retrainings: [link] });
    expect(await announce({ by: 'mlflow' })).toMatchObject({ saved: false, retrainings: [link] });
    expect(saved).toEqual([link]);
    // the next version is no answer to a request that has one, unless somebody says so
    expect((await announce({ modelVersion: '4' })).retrainings).toEqual([]);
    expect((await announce({ modelVersion: '4', retrainedFor: ['e1'] })).retrainings).toHaveLength(1);
  });

  it.each(['failed', 'skipped', 'retry'] as const)(
    'does not answer a request that was %s',
    async (outcome) => {
      await asked('e1', outcome);
      expect((await announce()).retrainings).toEqual([]);
    },
  );

  it('does not take a version from before the request for its answer, nor the one that drifts', async () => {
    await asked('e1', 'delivered');
    expect((await announce({ modelVersion: '2' })).retrainings).toEqual([]);
    models = [version('1', 5_000)];
    expect((await announce({ modelVersion: '1' })).retrainings).toEqual([]);
    models = [version('1', 10), version('2', 5_000)];
    expect((await announce({ modelVersion: '2' })).retrainings).toHaveLength(1);
  });

  it('takes episodes and webhook events by name, all before anything is stored', async () => {
    const id = await asked('e2', 'failed');
    expect((await announce({ retrainedFor: ['e1', id, 'e2'] })).retrainings).toMatchObject([
      { episodeId: 'e1' },
      { episodeId: 'e2' },
    ]);
    saved = [];
    const before = models;
    await expect(announce({ modelVersion: '4', retrainedFor: ['e1', 'nine'] })).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(announce({ model: 'other', modelVersion: '4', retrainedFor: [id] })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect([saved, models]).toEqual([[], before]);
    expect((await announce({ modelVersion: '4', retrainedFor: [] })).retrainings).toEqual([]);
  });

  it("takes the schema of the episode's version, else of the newest, without what only references tell", async () => {
    const named = await announce({ retrainedFor: ['e1'] });
    expect(named.model.schema).toEqual({
      task: 'binary',
      features: [
        { name: 'age', kind: 'numeric' },
        { name: 'only 1', kind: 'numeric' },
      ],
    });
    const unnamed = await announce({ modelVersion: '4' });
    expect(unnamed.model.schema.features[1]?.name).toBe('only 1');
    models = [version('1', 10), version('2', 20)];
    expect((await announce({ modelVersion: '4' })).model.schema.features[1]?.name).toBe('only 2');
    await expect(announce({ model: 'new', modelVersion: '1' })).rejects.toMatchObject({
      code: 'invalid_schema',
    });
  });

  it('links nothing when the reference that comes along cannot be registered', async () => {
    const register = () => Promise.reject(new TypeError('no rows'));
    const reference = { tellsSchema: true, register };
    await expect(announce({ retrainedFor: ['e1'], reference })).rejects.toThrow('no rows');
    expect([saved, models.length]).toEqual([[], 3]);
    const model = version('3', NOW_MS);
    const known = { model, reference: {} as Reference };
    const again = await announce({
      retrainedFor: ['e1'],
      reference: { tellsSchema: true, register: async () => known },
    });
    expect(again).toMatchObject({ model, saved: true, retrainings: [{ episodeId: 'e1' }] });
  });
});
