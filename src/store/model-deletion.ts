import type { ModelStore } from '../domain/ports.js';
import type { StoreClient } from './client.js';

const OF_MODEL = 'model = {model:String}';

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
  ['webhook_attempts', 'event_id IN {events:Array(String)}'],
  ['webhook_events', OF_MODEL],
  ['webhook_holds', OF_MODEL],
  ['rejected', OF_MODEL],
];
/** What senders sent: never removed but by who asks for it. */
const RAW: ReadonlySet<string> = new Set(['predictions', 'labels', 'call_halves', 'rejected']);
const TIMEOUT_MS = 600_000;

/** Removal of a model: parts that hold its rows are written anew, so that the rows are gone and not only hidden. */
export function createModelDeletion(client: StoreClient): Pick<ModelStore, 'deleteModel'> {
  return {
    async deleteModel(model, { keepRows = false } = {}) {
      const removed: Record<string, number> = {};
      // As a list: replicated tables take no subquery in a mutation.
      const events = await client.query<{ id: string }>(
        `SELECT DISTINCT id FROM webhook_events WHERE ${OF_MODEL}`,
        {
          model,
        },
      );
      const params = { model, events: events.map(({ id }) => id) };
      for (const [table, where] of TABLES) {
        if (keepRows && RAW.has(table)) continue;
        const [found] = await client.query<{ stored: number }>(
          `SELECT count() AS stored FROM ${table} WHERE ${where}`,
          params,
          { timeoutMs: TIMEOUT_MS },
        );
        const stored = found?.stored ?? 0;
        if (stored === 0) continue;
        await client.command(
          `ALTER TABLE ${table} DELETE WHERE ${where} SETTINGS mutations_sync = 2`,
          params,
          { timeoutMs: TIMEOUT_MS },
        );
        removed[table] = stored;
      }
      return removed;
    },
  };
}
