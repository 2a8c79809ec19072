import type { Episode, WebhookAttempt, WebhookEvent } from '../../src/domain/episode.js';
import type { RunRecord } from '../../src/domain/ports.js';
import type { Verdict, WindowOutcome } from '../../src/domain/verdict.js';
import { DAY_MS, HOUR_MS, type Window } from '../../src/domain/window.js';
import type { StoreClient } from '../../src/store/client.js';

export const START_MS = Date.UTC(2013, 2, 1);
export const key = { model: 'flight-delay', modelVersion: '1' };
export const other = { model: 'flight-delay', modelVersion: '2' };
export const hour = (index: number): Window => ({
  startMs: START_MS + index * HOUR_MS,
  endMs: START_MS + (index + 1) * HOUR_MS,
});

export const verdict = (feature: string, window: Window, overrides: Partial<Verdict> = {}): Verdict => ({
  ...key,
  feature,
  detector: 'ks',
  category: 'drift',
  role: 'primary',
  window,
  status: 'drifted',
  reason: null,
  material: true,
  statistic: 0.25,
  effect: { value: 0.25, low: 0.2, high: 0.3 },
  pValue: 1e-300,
  adjustedPValue: 5e-324,
  threshold: 0.1,
  minimumEffect: 0.1,
  referenceRows: 24_951,
  currentRows: 900,
  effectiveReferenceRows: 120.5,
  effectiveCurrentRows: 4.1,
  null: 'temporal',
  designEffect: 210.7,
  resolution: 0.0004,
  smallestVisibleEffect: 0.12,
  referenceHash: 'abc',
  parameters: { bins: 10, tail: 'upper', exact: false },
  seed: 7,
  ...overrides,
});

export const undecided = (feature: string, window: Window): Verdict =>
  verdict(feature, window, {
    status: 'undecided',
    reason: 'no_data',
    material: false,
    statistic: null,
    effect: null,
    pValue: null,
    adjustedPValue: null,
    threshold: null,
    resolution: null,
    seed: null,
  });

export const outcome = (window: Window, state: WindowOutcome['state']): WindowOutcome => ({
  ...key,
  category: 'drift',
  window,
  state,
  drivers: state === 'drifted' ? [verdict('temp', window)] : [],
});

export const run = (index: number, overrides: Partial<RunRecord> = {}): RunRecord => ({
  ...key,
  window: hour(index),
  referenceHash: 'abc',
  status: 'judged',
  rows: 900,
  labels: 7,
  atMs: START_MS + DAY_MS,
  ...overrides,
});

export const episode = (id: string, overrides: Partial<Episode> = {}): Episode => ({
  id,
  ...key,
  category: 'drift',
  severity: 'warning',
  state: 'open',
  firstWindow: hour(0),
  openedBy: hour(1),
  closedBy: null,
  lastWindow: hour(1),
  drivers: [{ feature: '</script>', detector: 'ks', statistic: 0.3, threshold: 0.1, effect: 0.3 }],
  openedAtMs: START_MS + 2 * HOUR_MS,
  closedAtMs: null,
  ...overrides,
});

export const event = (id: string, overrides: Partial<WebhookEvent> = {}): WebhookEvent => ({
  id,
  type: 'plumbline.episode.opened',
  model: key.model,
  hook: 'retrain',
  episodeId: 'e1',
  body: '{"data":"日本"}',
  createdAtMs: START_MS,
  ...overrides,
});

export const attempt = (
  eventId: string,
  number: number,
  outcomeOf: WebhookAttempt['outcome'],
): WebhookAttempt => ({
  eventId,
  attempt: number,
  outcome: outcomeOf,
  status: outcomeOf === 'delivered' ? 200 : 0,
  detail: 'socket hang up',
  atMs: START_MS + number,
  nextAttemptAtMs: outcomeOf === 'retry' ? START_MS + 5_000 : null,
});

/** Fills the outbox of a model with events of one attempt each: every tenth was delivered, the others are to be tried again. */
export async function fillOutbox(
  admin: Pick<StoreClient, 'command'>,
  model: string,
  events: number,
): Promise<void> {
  const id = "concat('evt_', lower(hex(MD5(concat({model:String}, toString(number))))))";
  const at = `fromUnixTimestamp64Milli(toInt64(${START_MS} + number), 'UTC')`;
  const params = { model, events };
  await admin.command(
    `INSERT INTO webhook_events (id, type, model, hook, episode_id, body, created_at, revision)
     SELECT ${id}, 'plumbline.drift.detected', {model:String}, 'retrain', toString(number), '{}', ${at}, number
     FROM numbers({events:UInt64})`,
    params,
  );
  await admin.command(
    `INSERT INTO webhook_attempts (event_id, attempt, outcome, status, detail, at, next_attempt_at, revision)
     SELECT ${id}, 1, number % 10 = 0 ? 'delivered' : 'retry', 0, '', ${at}, ${at}, number FROM numbers({events:UInt64})`,
    params,
  );
}
