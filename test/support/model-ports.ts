import { readFileSync } from 'node:fs';
import type { Episode } from '../../src/domain/episode.js';
import type { ModelVersion } from '../../src/domain/model.js';
import type { Reference } from '../../src/domain/reference.js';
import type { JudgedRetraining } from '../../src/domain/retraining.js';
import type { Bucket } from '../../src/domain/window.js';
import type { ModelPorts } from '../../src/http/model-routes.js';
import { createAnnouncer } from '../../src/jobs/announce-version.js';
import { NOW_MS } from './http-service.js';

const HOUR = 3_600_000;
export const CHURN: ModelVersion = {
  model: 'churn',
  modelVersion: '3',
  schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
  registeredAtMs: 1,
};
export const REFERENCE: Reference = {
  model: 'churn',
  modelVersion: '3',
  hash: 'abc',
  rows: 10,
  period: { startMs: 0, endMs: 2 * HOUR },
  provenance: 'a test',
  createdAtMs: 1,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  forest: 'a large text',
};

const WINDOW = { startMs: 0, endMs: HOUR };
export const EPISODE: Episode = {
  id: 'e1',
  model: 'churn',
  modelVersion: '3',
  category: 'drift',
  severity: 'warning',
  state: 'open',
  firstWindow: WINDOW,
  openedBy: WINDOW,
  closedBy: null,
  lastWindow: WINDOW,
  drivers: [],
  openedAtMs: 1,
  closedAtMs: null,
};
export const RETRAINED: JudgedRetraining = {
  model: 'churn',
  episodeId: 'e1',
  modelVersion: '4',
  announcedAtMs: 7,
  by: 'local',
  episode: EPISODE,
  cure: {
    verdict: 'cannot_tell',
    reason: 'no_windows',
    period: null,
    windows: { clean: 0, drifted: 0, undecided: 0, needed: 2 },
    drivers: [],
  },
};

/** What the routes of models are answered from, and what they asked for. */
interface ModelState {
  saved: ModelVersion[];
  reference: Reference | null;
  calls: [string, unknown][];
  uploads: { path: string; content: string; provenance: string }[];
}

/** Ports of the routes of models that note what they are asked; `churn` 3 and `other` 3 are registered after a reset. */
export function createModelPorts() {
  const state: ModelState = { saved: [], reference: null, calls: [], uploads: [] };
  const note =
    <T>(name: string, value: T) =>
    async (query: unknown): Promise<T> => {
      state.calls.push([name, query]);
      return value;
    };
  const ports: ModelPorts = {
    store: {
      listModels: async () => [...state.saved],
      currentReference: async () => state.reference,
      deleteModel: async (model, options) => {
        state.calls.push(['deleteModel', [model, options]]);
        return model === 'churn' ? { models: 1, predictions: 9 } : {};
      },
      listReferences: note('references', []),
      listReferenceChanges: note('changes', []),
      listVerdicts: note('verdicts', []),
      listGrids: async () => [
        { kind: 'numeric', feature: 'age', cutPoints: [1], quantum: 1 },
        { kind: 'numeric', feature: 'other', cutPoints: [1], quantum: 1 },
      ],
      mergedProfiles: async (query, buckets: readonly Bucket[]) => {
        state.calls.push(['profiles', { ...query, hours: buckets.length }]);
        return [];
      },
      watermarks: async () => [
        { model: 'churn', modelVersion: '3', firstEventMs: 0, watermarkMs: 100 * HOUR + 5, rows: 9 },
      ],
    },
    registerReference: async ({ path, model, modelVersion, provenance }) => {
      state.uploads.push({ path, content: readFileSync(path, 'utf8'), provenance });
      return { model: { ...CHURN, model, modelVersion }, reference: REFERENCE };
    },
    rebaseline: note('rebaseline', { model: CHURN, reference: REFERENCE }),
    restore: note('restore', { model: CHURN, reference: REFERENCE }),
    registerQuery: note('query', { model: CHURN, reference: REFERENCE }),
    announce: createAnnouncer({
      store: {
        listModels: async () => [...state.saved],
        saveModel: async (model) => {
          state.saved.push(model);
        },
        currentReference: async () => state.reference,
        deleteModel: async (model, options) => {
          state.calls.push(['deleteModel', [model, options]]);
          return {};
        },
        listEpisodes: async () => [EPISODE],
        listEvents: async () => [],
        listRetrainings: async () => [],
        saveRetraining: async (retraining) => {
          state.calls.push(['saveRetraining', retraining]);
        },
      },
      clock: { now: () => NOW_MS },
      logger: { info: () => undefined },
      modelSaved: async () => {
        state.calls.push(['modelSaved', null]);
      },
    }),
    modelDeleted: async () => {
      state.calls.push(['modelDeleted', null]);
    },
    nowMs: () => NOW_MS,
    logger: {
      warn: (fields, message) => {
        state.calls.push([message, fields]);
      },
    },
    buildReport: async ({ model }) => ({ path: `/reports/${model}.html`, summary: 'fine' }),
    maxReferenceBytes: 1_000,
  };
  function reset(): void {
    state.saved = [CHURN, { ...CHURN, model: 'other' }];
    state.reference = null;
    state.calls = [];
    state.uploads = [];
  }
  return { ports, state, note, reset };
}

export type NotedPorts = ReturnType<typeof createModelPorts>;
