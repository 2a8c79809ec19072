import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceClient } from '../../src/cli/service-client.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';

export const SIZES_START_MS = Date.UTC(2025, 0, 1);
export const SIZES_REFERENCE_DAYS = 20;

/** Rows of a model with one feature, every quarter of an hour: `size` runs evenly through 0 … 99, or is shifted. */
export function sizeRows(day: number, shift = 0, model = 'sizes') {
  return Array.from({ length: 96 }, (_, i) => ({
    prediction_id: `day${day}-${i}`,
    model,
    model_version: '1',
    timestamp: new Date(SIZES_START_MS + day * DAY_MS + (i * HOUR_MS) / 4).toISOString(),
    features: { size: ((i * 37) % 100) + shift },
    prediction: i % 2,
  }));
}

/** Registers the model from its first twenty days. */
export async function registerSizes(
  client: ServiceClient,
  directory: string,
  model = 'sizes',
): Promise<void> {
  const rows = Array.from({ length: SIZES_REFERENCE_DAYS }, (_, day) => sizeRows(day)).flat();
  const file = join(directory, 'reference.ndjson');
  await writeFile(
    file,
    rows
      .map(({ features, prediction, timestamp }) => JSON.stringify({ ...features, prediction, timestamp }))
      .join('\n'),
  );
  await client.putFile(`/v1/models/${model}/versions/1/reference`, file, 'application/x-ndjson');
}
