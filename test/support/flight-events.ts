import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createStoreClient } from '../../src/store/client.js';

const FOLDER = new URL('../../examples/flights/', import.meta.url);

const ID = /"prediction_id":"([^"]+)"/;
const TIME = /"timestamp":"([^"]+)"/;

export const FLIGHTS_REFERENCE = new URL('reference.parquet', FOLDER).pathname;
export const FLIGHTS_MODEL = 'flight-delay';

function linesOf(name: string): string[] {
  return gunzipSync(readFileSync(new URL(name, FOLDER)))
    .toString('utf8')
    .trimEnd()
    .split('\n');
}

export interface FlightEvents {
  /** Prediction events, NDJSON lines in order of time. */
  readonly predictions: readonly string[];
  /** Their labels, in order of arrival. */
  readonly labels: readonly string[];
}

/** The first events of the example (from 2013-03-01), with their labels. */
export function firstFlights(count: number): FlightEvents {
  const predictions = linesOf('predictions.ndjson.gz').slice(0, count);
  const ids = new Set(predictions.map(idOf));
  return { predictions, labels: linesOf('labels.ndjson.gz').filter((line) => ids.has(idOf(line))) };
}

export function idOf(line: string): string {
  return ID.exec(line)?.[1] ?? '';
}

/** UTC day of an event, `2013-03-01`. */
export function dayOf(line: string): string {
  return TIME.exec(line)?.[1]?.slice(0, 10) ?? '';
}

export function countByDay(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(dayOf(line), (counts.get(dayOf(line)) ?? 0) + 1);
  return counts;
}

/** The reference's rows as prediction events, by UTC day; its cut last day is left out. */
export async function referenceDays(): Promise<Map<string, string[]>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'plumbline-flights-'));
  const client = await createStoreClient({ kind: 'embedded', dataDir });
  try {
    const rows = await client.query<Record<string, number | string | null>>(
      `SELECT * EXCEPT (timestamp, label), formatDateTime(timestamp, '%Y-%m-%dT%H:%i:%S.000Z', 'UTC') AS timestamp
       FROM file({path:String}, 'Parquet') ORDER BY timestamp`,
      { path: FLIGHTS_REFERENCE },
    );
    const days = new Map<string, string[]>();
    for (const { prediction_id, timestamp, prediction, prediction_proba, ...features } of rows) {
      const line = JSON.stringify({
        prediction_id,
        model: FLIGHTS_MODEL,
        model_version: '1',
        timestamp,
        features,
        prediction,
        prediction_proba,
      });
      const lines = days.get(dayOf(line)) ?? [];
      days.set(dayOf(line), lines);
      lines.push(line);
    }
    days.delete('2013-03-01');
    return days;
  } finally {
    await client.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}
