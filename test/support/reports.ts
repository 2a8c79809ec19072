import type { ReportFacts, ReportRun, StoredReport } from '../../src/domain/report.js';
import { DAY_MS } from '../../src/domain/window.js';

const START_MS = Date.UTC(2026, 0, 5);

/** A report on a day of which there is nothing to say. */
export const factsOf = (overrides: Partial<ReportFacts> = {}): ReportFacts => ({
  format: 1,
  id: 'rep_1',
  model: 'churn',
  schedule: 'daily',
  timeZone: 'UTC',
  period: { startMs: START_MS, endMs: START_MS + DAY_MS },
  previous: { startMs: START_MS - DAY_MS, endMs: START_MS },
  madeAtMs: START_MS + DAY_MS + 25_200_000,
  missed: 0,
  summary: 'Nothing drifted.',
  changes: [],
  versions: [],
  versionsLeftOut: 0,
  comparisons: [],
  ...overrides,
});

export const reportOf = (overrides: Partial<ReportFacts> = {}, html = '<p>Nothing</p>'): StoredReport => ({
  facts: factsOf(overrides),
  html,
});

export const reportRun = (overrides: Partial<ReportRun> = {}): ReportRun => ({
  model: 'churn',
  schedule: 'daily',
  id: 'rep_1',
  firesAtMs: START_MS + DAY_MS + 25_200_000,
  state: 'made',
  attempts: 1,
  missed: 0,
  detail: '',
  atMs: START_MS + DAY_MS + 25_200_000,
  ...overrides,
});
