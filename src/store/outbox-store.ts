import type { WebhookAttempt, WebhookEvent } from '../domain/episode.js';
import type { OutboxStore } from '../domain/ports.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';

interface EventRow {
  readonly id: string;
  readonly type: string;
  readonly model: string;
  readonly episode_id: string;
  readonly body: string;
  readonly createdAtMs: number;
}

interface AttemptRow {
  readonly event_id: string;
  readonly attempt: number;
  readonly outcome: WebhookAttempt['outcome'];
  readonly status: number;
  readonly detail: string;
  readonly atMs: number;
  readonly nextMs: number | null;
}

/** An event keeps the body it was first written with: the oldest row of an id counts. */
const EVENTS = `(
  SELECT id, type, model, episode_id, body, toUnixTimestamp64Milli(created_at) AS createdAtMs
  FROM webhook_events ORDER BY revision LIMIT 1 BY id)`;

const ATTEMPTS = `(
  SELECT event_id, attempt, outcome, status, detail, toUnixTimestamp64Milli(at) AS atMs,
         toUnixTimestamp64Milli(next_attempt_at) AS nextMs
  FROM webhook_attempts FINAL)`;

export function createOutboxStore(client: StoreClient, nextRevision: () => number): OutboxStore {
  const attemptsOf = async (ids: readonly string[]): Promise<Map<string, WebhookAttempt[]>> => {
    const byEvent = new Map<string, WebhookAttempt[]>();
    if (ids.length === 0) return byEvent;
    const rows = await client.query<AttemptRow>(
      `SELECT * FROM ${ATTEMPTS} WHERE event_id IN {ids:Array(String)} ORDER BY event_id, attempt`,
      { ids },
    );
    for (const row of rows) {
      const attempt = toAttempt(row);
      const attempts = byEvent.get(attempt.eventId);
      if (attempts === undefined) byEvent.set(attempt.eventId, [attempt]);
      else attempts.push(attempt);
    }
    return byEvent;
  };

  return {
    // Under no token of its own: the engine would take none twice, and a model that was deleted may come again with the same events.
    saveEvent: (event) =>
      client.insert('webhook_events', [
        {
          id: event.id,
          type: event.type,
          model: event.model,
          episode_id: event.episodeId,
          body: event.body,
          created_at: dateTime64(event.createdAtMs),
          revision: nextRevision(),
        },
      ]),

    saveAttempt: (attempt) =>
      client.insert('webhook_attempts', [
        {
          event_id: attempt.eventId,
          attempt: attempt.attempt,
          outcome: attempt.outcome,
          status: attempt.status,
          detail: attempt.detail,
          at: dateTime64(attempt.atMs),
          next_attempt_at: attempt.nextAttemptAtMs === null ? null : dateTime64(attempt.nextAttemptAtMs),
          revision: nextRevision(),
        },
      ]),

    pendingEvents: async () => {
      const rows = await client.query<EventRow>(
        `SELECT * FROM ${EVENTS}
         WHERE id NOT IN (SELECT event_id FROM ${ATTEMPTS} WHERE outcome != 'retry')
         ORDER BY createdAtMs, id`,
      );
      const attempts = await attemptsOf(rows.map((row) => row.id));
      return rows.map((row) => ({ event: toEvent(row), lastAttempt: attempts.get(row.id)?.at(-1) ?? null }));
    },

    listEvents: async ({ model, limit }) => {
      const rows = await client.query<EventRow>(
        `SELECT * FROM ${EVENTS}
         WHERE {anyModel:Bool} OR model = {model:String}
         ORDER BY createdAtMs DESC, id
         LIMIT {limit:UInt32}`,
        { anyModel: model === undefined, model: model ?? '', limit },
      );
      const attempts = await attemptsOf(rows.map((row) => row.id));
      return rows.map((row) => ({ event: toEvent(row), attempts: attempts.get(row.id) ?? [] }));
    },
  };
}

function toEvent(row: EventRow): WebhookEvent {
  return {
    id: row.id,
    type: row.type,
    model: row.model,
    episodeId: row.episode_id,
    body: row.body,
    createdAtMs: row.createdAtMs,
  };
}

function toAttempt(row: AttemptRow): WebhookAttempt {
  return {
    eventId: row.event_id,
    attempt: row.attempt,
    outcome: row.outcome,
    status: row.status,
    detail: row.detail,
    atMs: row.atMs,
    nextAttemptAtMs: row.nextMs,
  };
}
