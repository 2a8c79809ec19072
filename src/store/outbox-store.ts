import type { WebhookAttempt, WebhookEvent, WebhookHold } from '../domain/episode.js';
import type { OutboxStore } from '../domain/ports.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';

interface EventRow {
  readonly id: string;
  readonly type: string;
  readonly model: string;
  readonly hook: string;
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
  SELECT id, type, model, hook, episode_id, body, toUnixTimestamp64Milli(created_at) AS createdAtMs
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
          hook: event.hook,
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
         WHERE id NOT IN (
           SELECT event_id FROM ${ATTEMPTS} GROUP BY event_id
           HAVING argMax(outcome, attempt) NOT IN ('retry', 'replay'))
         ORDER BY createdAtMs, id`,
      );
      const attempts = await attemptsOf(rows.map((row) => row.id));
      return rows.map((row) => {
        const own = attempts.get(row.id) ?? [];
        return {
          event: toEvent(row),
          lastAttempt: own.at(-1) ?? null,
          failures: own.slice(own.findLastIndex(({ outcome }) => outcome === 'replay') + 1).length,
        };
      });
    },

    listEvents: async ({ id, model, hook, state, limit }) => {
      const rows = await client.query<EventRow>(
        `SELECT * FROM ${EVENTS} AS events
         LEFT JOIN (
           SELECT event_id, argMax(outcome, attempt) AS last FROM ${ATTEMPTS} GROUP BY event_id
         ) AS attempts ON attempts.event_id = events.id
         WHERE ({id:String} = '' OR id = {id:String})
           AND ({anyModel:Bool} OR model = {model:String})
           AND ({hook:String} = '' OR hook = {hook:String})
           AND ({state:String} = '' OR {state:String} = if(last IN ('', 'retry', 'replay'), 'pending', last))
         ORDER BY createdAtMs DESC, id
         LIMIT {limit:UInt32}`,
        {
          id: id ?? '',
          anyModel: model === undefined,
          model: model ?? '',
          hook: hook ?? '',
          state: state ?? '',
          limit,
        },
      );
      const attempts = await attemptsOf(rows.map((row) => row.id));
      return rows.map((row) => ({ event: toEvent(row), attempts: attempts.get(row.id) ?? [] }));
    },

    saveHold: (hold) =>
      client.insert('webhook_holds', [
        {
          model: hold.model,
          hook: hold.hook,
          reason: hold.reason,
          held: hold.held,
          detail: hold.detail,
          at: dateTime64(hold.atMs),
          revision: nextRevision(),
        },
      ]),

    listHolds: () =>
      client.query<WebhookHold>(
        `SELECT model, hook, reason, held, detail, toUnixTimestamp64Milli(at) AS atMs
         FROM webhook_holds FINAL WHERE held ORDER BY model, hook, reason`,
      ),
  };
}

function toEvent(row: EventRow): WebhookEvent {
  return {
    id: row.id,
    type: row.type,
    model: row.model,
    hook: row.hook,
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
