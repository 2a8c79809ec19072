import type { ModelStore } from '../domain/ports.js';
import type { StoreClient } from './client.js';
import { quotedText } from './encoding.js';

const OF_MODEL = 'model = {model:String}';
/** Attempts know their event alone. */
const OF_EVENTS = `event_id IN (SELECT id FROM webhook_events WHERE ${OF_MODEL})`;

/** What is stored of a model, in the order of removal: without its registration no row of it is taken and no window judged. */
const TABLES: readonly (readonly [table: string, where: string])[] = [
  ['models', OF_MODEL],
  ['references', OF_MODEL],
  ['reference_samples', OF_MODEL],
  ['reference_changes', OF_MODEL],
  ['grids', OF_MODEL],
  ['predictions', OF_MODEL],
  ['labels', OF_MODEL],
  ['call_halves', OF_MODEL],
  ['outlier_scores', OF_MODEL],
  ['profiled_hours', OF_MODEL],
  ['undeclared_features', OF_MODEL],
  ['counted_labels', OF_MODEL],
  ['measured_labels', OF_MODEL],
  ['performance_hours', OF_MODEL],
  ['performance_rows', OF_MODEL],
  ['error_streams', OF_MODEL],
  ['stream_detections', OF_MODEL],
  ['profiles', OF_MODEL],
  ['segment_values', OF_MODEL],
  ['verdicts', OF_MODEL],
  ['segment_verdicts', OF_MODEL],
  ['outcomes', OF_MODEL],
  ['runs', OF_MODEL],
  ['episodes', OF_MODEL],
  ['episode_marks', OF_MODEL],
  ['episode_actions', OF_MODEL],
  ['policies', OF_MODEL],
  ['retrainings', OF_MODEL],
  ['reports', OF_MODEL],
  ['report_runs', OF_MODEL],
  // Before the events that they belong to.
  ['webhook_attempts', OF_EVENTS],
  ['webhook_events', OF_MODEL],
  ['webhook_holds', OF_MODEL],
  ['rejected', OF_MODEL],
];
/** What senders sent: never removed but by who asks for it. */
const RAW: ReadonlySet<string> = new Set(['predictions', 'labels', 'call_halves', 'rejected']);
const TIMEOUT_MS = 600_000;
const EVENTS_PER_MUTATION = 5_000;

/** Removal of a model: parts that hold its rows are written anew, so that the rows are gone and not only hidden. */
export function createModelDeletion(client: StoreClient): Pick<ModelStore, 'deleteModel'> {
  /**
   * As lists, in the statements: replicated tables take no subquery in a mutation, the address of a request no long parameter, and what
   * coordinates them no mutation above 1 MiB.
   */
  async function listsOfEvents(model: string): Promise<string[]> {
    const found = await client.query<{ id: string }>(
      `SELECT DISTINCT event_id AS id FROM webhook_attempts WHERE ${OF_EVENTS}`,
      { model },
      { timeoutMs: TIMEOUT_MS },
    );
    const lists: string[] = [];
    for (let at = 0; at < found.length; at += EVENTS_PER_MUTATION) {
      const ids = found.slice(at, at + EVENTS_PER_MUTATION).map(({ id }) => quotedText(id));
      lists.push(`event_id IN (${ids.join(', ')})`);
    }
    return lists;
  }

  return {
    async deleteModel(model, { keepRows = false } = {}) {
      const removed: Record<string, number> = {};
      for (const [table, where] of TABLES) {
        if (keepRows && RAW.has(table)) continue;
        const [found] = await client.query<{ stored: number }>(
          `SELECT count() AS stored FROM ${table} WHERE ${where}`,
          { model },
          { timeoutMs: TIMEOUT_MS },
        );
        const stored = found?.stored ?? 0;
        if (stored === 0) continue;
        for (const part of where === OF_EVENTS ? await listsOfEvents(model) : [where])
          await client.command(
            `ALTER TABLE ${table} DELETE WHERE ${part} SETTINGS mutations_sync = 2`,
            { model },
            { timeoutMs: TIMEOUT_MS },
          );
        removed[table] = stored;
      }
      return removed;
    },
  };
}
