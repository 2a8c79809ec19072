import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { type ModelVersion, monitoredColumns } from '../../src/domain/model.js';
import type { Grid, Profile } from '../../src/domain/profile.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createStoreClient } from '../../src/store/client.js';
import { gridOf, profileOf, type Value } from './count-profiles.js';

const NUMERIC = [
  'distance',
  'hour',
  'temp',
  'dewp',
  'humid',
  'wind_dir',
  'wind_speed',
  'wind_gust',
  'precip',
  'pressure',
  'visib',
] as const;
const CATEGORICAL = ['carrier', 'origin', 'dest', 'weekday'] as const;

export const FLIGHTS: ModelVersion = {
  model: 'flight-delay',
  modelVersion: '1',
  schema: {
    task: 'binary',
    features: [
      ...NUMERIC.map((name) => ({ name, kind: 'numeric' as const })),
      ...CATEGORICAL.map((name) => ({ name, kind: 'categorical' as const })),
    ],
  },
  registeredAtMs: 0,
};
export const FLIGHT_COLUMNS = monitoredColumns(FLIGHTS.schema);

/** Column → values, in the order of the rows. */
type Table = Map<string, Value[]>;
/** Start of the UTC day, ms → that day's rows. */
type Days = Map<number, Table>;

export interface FlightDay {
  readonly startMs: number;
  readonly rows: number;
  readonly profiles: readonly Profile[];
}

/** The flights of a folder: the reference (version 1) by UTC day, and version 1's predictions by UTC day. */
export async function readFlights(folder: string): Promise<{
  grids: Grid[];
  reference: FlightDay[];
  production: FlightDay[];
}> {
  const reference = await readReference(resolve(folder, 'reference.parquet'));
  const production = await readPredictions(resolve(folder, 'predictions.ndjson.gz'));
  const grids = FLIGHT_COLUMNS.map(({ name, kind }) =>
    gridOf(
      name,
      kind,
      [...reference.values()].flatMap((table) => table.get(name) ?? []),
    ),
  );
  const daysOf = (days: Days): FlightDay[] =>
    [...days]
      .sort((a, b) => a[0] - b[0])
      .map(([startMs, table]) => ({
        startMs,
        rows: table.get('hour')?.length ?? 0,
        profiles: grids.map((grid) => profileOf(grid, table.get(grid.feature) ?? [])),
      }));
  return {
    grids,
    reference: daysOf(reference),
    production: daysOf(production),
  };
}

async function readReference(path: string): Promise<Days> {
  const dataDir = await mkdtemp(join(tmpdir(), 'plumbline-flights-'));
  const client = await createStoreClient({ kind: 'embedded', dataDir });
  try {
    const names = FLIGHT_COLUMNS.map((column) => `\`${column.name}\``).join(', ');
    const rows = await client.query<Record<string, Value>>(
      `SELECT ${names}, toUnixTimestamp64Milli(CAST(timestamp AS DateTime64(3, 'UTC'))) AS ms
       FROM file({path:String}, Parquet) ORDER BY prediction_id`,
      { path },
    );
    const days: Days = new Map();
    for (const row of rows) addRow(days, Number(row.ms), (name) => row[name] ?? null);
    return days;
  } finally {
    await client.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

interface FlightEvent {
  readonly model_version: string;
  readonly timestamp: string;
  readonly features: Readonly<Record<string, Value>>;
  readonly prediction: number;
  readonly prediction_proba: number;
}

async function readPredictions(path: string): Promise<Days> {
  const days: Days = new Map();
  const lines = createInterface({ input: createReadStream(path).pipe(createGunzip()) });
  for await (const line of lines) {
    const event = JSON.parse(line) as FlightEvent;
    if (event.model_version !== '1') continue;
    addRow(days, Date.parse(event.timestamp), (name) =>
      name === 'prediction'
        ? event.prediction
        : name === 'prediction_proba'
          ? event.prediction_proba
          : (event.features[name] ?? null),
    );
  }
  return days;
}

function addRow(days: Days, timestampMs: number, cellOf: (name: string) => Value): void {
  const startMs = Math.floor(timestampMs / DAY_MS) * DAY_MS;
  let table = days.get(startMs);
  if (table === undefined) {
    table = new Map(FLIGHT_COLUMNS.map((column) => [column.name, []]));
    days.set(startMs, table);
  }
  for (const column of FLIGHT_COLUMNS) table.get(column.name)?.push(cellOf(column.name));
}
