import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceClient } from '../../src/cli/service-client.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';

export const START_MS = Date.UTC(2026, 0, 1);
const ROWS_PER_DAY = 100;
export const MODEL = 'loan';
export const secret = `whsec_${Buffer.alloc(32, 4).toString('base64')}`;

const random = createRandom(7);
const number = () => Number(random().toFixed(6));

/** Income drifts by `shift`, and is missing now and then. */
const rowsOf = (firstDay: number, days: number, shift: number) =>
  Array.from({ length: days * ROWS_PER_DAY }, (_, i) => {
    const proba = number();
    return {
      timestamp: new Date(START_MS + firstDay * DAY_MS + i * (DAY_MS / ROWS_PER_DAY)).toISOString(),
      features: { income: shift > 0 && i % 10 === 0 ? null : number() + shift, age: number() },
      prediction: proba >= 0.5 ? 1 : 0,
      prediction_proba: proba,
      label: proba + number() > 1 ? 1 : 0,
    };
  });

/** A reference of the twenty days that end twenty days before the first. */
export async function register(client: ServiceClient, directory: string): Promise<void> {
  const path = join(directory, 'reference.ndjson');
  const rows = rowsOf(-40, 20, 0).map(({ features, ...row }) => JSON.stringify({ ...features, ...row }));
  await writeFile(path, rows.join('\n'));
  await client.putFile(`/v1/models/${MODEL}/versions/1/reference`, path, 'application/x-ndjson');
}

/** Predictions and labels of some days. */
export async function send(
  client: ServiceClient,
  firstDay: number,
  days: number,
  shift: number,
): Promise<void> {
  const rows = rowsOf(firstDay, days, shift).map((row, i) => ({
    ...{ prediction_id: `${firstDay}-${i}`, model: MODEL, model_version: '1' },
    ...row,
  }));
  await client.postLines(
    '/v1/ingest',
    rows.map(({ label, ...row }) => JSON.stringify(row)),
  );
  await client.postLines(
    '/v1/labels',
    rows.map(({ prediction_id, model, model_version, timestamp, label }) =>
      JSON.stringify({ prediction_id, model, model_version, timestamp, label }),
    ),
  );
}
