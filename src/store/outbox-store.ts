import { randomUUID } from 'node:crypto';
import type { WebhookAttempt, WebhookEvent, WebhookHold } from '../domain/episode.js';
import type { OutboxStore } from '../domain/ports.js';
import type { SqlParams, StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import { firstInsert } from './first-insert.js';

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
  readonly owner: string;
  /** By the store's clock. */
  readonly claimed: number;
}

/** An event keeps the body it was first written with: the oldest row of an id counts. */
const EVENTS = `(
  SELECT id, type, model, hook, episode_id, body, toUnixTimestamp64Milli(created_at) AS createdAtMs
  FROM webhook_events ORDER BY revision LIMIT 1 BY id)`;

const ATTEMPTS = `(
  SELECT event_id, attempt, outcome, status, detail, toUnixTimestamp64Milli(at) AS atMs,
         toUnixTimestamp64Milli(next_attempt_at) AS nextMs, owner,
         toUInt8(outcome = 'sending' AND now64(3, 'UTC') < stored_at + toIntervalMillisecond(claim_ms)) AS claimed
  FROM webhook_attempts FINAL)`;

/** Of one event: how its last attempt ended; a delivery stands, whatever later attempts came to. */
const LAST_OUTCOME =
  "if(maxIf(attempt, outcome = 'delivered') > maxIf(attempt, outcome = 'replay'), 'delivered', argMax(outcome, attempt))";
/** So that a list of them is well below what a server takes as one parameter, 128 KiB. */
const IDS_PER_STATEMENT = 1_000;
const UNFINISHED = "('', 'retry', 'replay', 'sending')";

export function createOutboxStore(client: StoreClient, nextRevision: () => number): OutboxStore {
  const owner = randomUUID();

  const attemptsWhere = (where: string, params: SqlParams = {}) =>
    client.query<AttemptRow>(`SELECT * FROM ${ATTEMPTS} WHERE ${where} ORDER BY event_id, attempt`, params);

  const attemptRowsOf = async (ids: readonly string[]): Promise<Map<string, AttemptRow[]>> => {
    const pages: AttemptRow[][] = [];
    for (let at = 0; at < ids.length; at += IDS_PER_STATEMENT)
      pages.push(
        await attemptsWhere('event_id IN {ids:Array(String)}', {
          ids: ids.slice(at, at + IDS_PER_STATEMENT),
        }),
      );
    return byEvent(pages.flat());
  };

  /** A data directory has one process: what another one claimed there, it did before it ended. */
  const isClaimed = (row: AttemptRow | undefined): boolean =>
    row?.claimed === 1 && (client.kind === 'http' || row.owner === owner);

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

    claimAttempt: ({ eventId, attempt, ttlMs, atMs }) =>
      firstInsert(
        `attempt:${eventId}:${attempt}`,
        (token) =>
          client.insert(
            'webhook_attempts',
            [
              {
                event_id: eventId,
                attempt,
                outcome: 'sending',
                status: 0,
                detail: '',
                owner,
                claim_ms: ttlMs,
                at: dateTime64(atMs),
                next_attempt_at: dateTime64(atMs + ttlMs),
                revision: nextRevision(),
              },
            ],
            token,
          ),
        async () => {
          const [row] = await client.query<{ owner: string }>(
            `SELECT owner FROM webhook_attempts FINAL WHERE event_id = {eventId:String} AND attempt = {attempt:UInt32}`,
            { eventId, attempt },
          );
          if (row === undefined) return 'nothing';
          return row.owner === owner ? 'ours' : 'theirs';
        },
      ),

    pendingEvents: async () => {
      const endedAs = (outcomes: string) =>
        `(SELECT event_id FROM ${ATTEMPTS} GROUP BY event_id HAVING ${LAST_OUTCOME} ${outcomes})`;
      // No ids in the request, of which there may be any number. The attempts first: an event that ends in between is not pending any more.
      const attempts = byEvent(await attemptsWhere(`event_id IN ${endedAs(`IN ${UNFINISHED}`)}`));
      const rows = await client.query<EventRow>(
        `SELECT * FROM ${EVENTS} WHERE id NOT IN ${endedAs(`NOT IN ${UNFINISHED}`)} ORDER BY createdAtMs, id`,
      );
      return rows.map((row) => {
        const own = attempts.get(row.id) ?? [];
        const last = own.at(-1);
        const since = own.slice(own.findLastIndex(({ outcome }) => outcome === 'replay') + 1);
        return {
          event: toEvent(row),
          lastAttempt: last === undefined ? null : toAttempt(last),
          // One that nobody knows the end of used up none of the tries.
          failures: since.filter(({ outcome }) => outcome !== 'sending').length,
          claimed: isClaimed(last),
        };
      });
    },

    listEvents: async ({ id, model, hook, state, limit }) => {
      const rows = await client.query<EventRow>(
        `SELECT * FROM ${EVENTS} AS events
         LEFT JOIN (
           SELECT event_id, ${LAST_OUTCOME} AS last FROM ${ATTEMPTS} GROUP BY event_id
         ) AS attempts ON attempts.event_id = events.id
         WHERE ({id:String} = '' OR id = {id:String})
           AND ({anyModel:Bool} OR model = {model:String})
           AND ({hook:String} = '' OR hook = {hook:String})
           AND ({state:String} = '' OR {state:String} = if(last IN ${UNFINISHED}, 'pending', last))
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
      const attempts = await attemptRowsOf(rows.map((row) => row.id));
      return rows.map((row) => ({
        event: toEvent(row),
        attempts: (attempts.get(row.id) ?? []).map(toAttempt),
      }));
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

function byEvent(rows: readonly AttemptRow[]): Map<string, AttemptRow[]> {
  const grouped = new Map<string, AttemptRow[]>();
  for (const row of rows) {
    const attempts = grouped.get(row.event_id);
    if (attempts === undefined) grouped.set(row.event_id, [row]);
    else attempts.push(row);
  }
  return grouped;
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
