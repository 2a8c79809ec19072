import type { FeatureSchema, ModelVersion } from '../../src/domain/model.js';
import { cellCount, type Grid, type Profile } from '../../src/domain/profile.js';
import { DAY_MS } from '../../src/domain/window.js';

/** mulberry32: enough randomness for pictures, the same every time. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Value = number | string | null;
export type Row = ReadonlyMap<string, Value>;

export const SCHEMA: readonly FeatureSchema[] = [
  ...[
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
  ].map((name) => ({ name, kind: 'numeric' as const })),
  ...['carrier', 'origin', 'dest', 'weekday'].map((name) => ({ name, kind: 'categorical' as const })),
];

export const VERSION: ModelVersion = {
  model: 'flight-delay',
  modelVersion: '1',
  schema: { task: 'binary', features: SCHEMA },
  registeredAtMs: Date.UTC(2013, 1, 28, 12),
};

const CARRIERS = ['UA', 'B6', 'EV', 'DL', 'AA', 'MQ', 'US', '9E', 'WN', 'VX', 'FL', 'AS'];
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** A day of flights at New York with its season: spring comes, a carrier leaves, a sensor fails for a week. */
export function dayRows(dayMs: number, count: number, random: () => number): Row[] {
  const normal = () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random());
  };
  const pick = (items: readonly string[], skew: number) =>
    items[Math.floor(items.length * random() ** skew)] ?? '';
  const season = (dayMs - Date.UTC(2013, 0, 20)) / (365 * DAY_MS);
  const weather = {
    temp: normal() * 3.5,
    pressure: normal() * 3,
    wind: 0.5 + 0.5 * random(),
    rain: random() < 0.15,
  };
  const base = 35 + 30 * Math.sin(Math.PI * Math.min(1, Math.max(0, season))) ** 2;
  const sensorDown = dayMs >= Date.UTC(2013, 3, 8) && dayMs < Date.UTC(2013, 3, 14);
  const carriers = dayMs >= Date.UTC(2013, 4, 5) ? [...CARRIERS.slice(0, 11), 'ZZ'] : CARRIERS;
  return Array.from({ length: count }, () => {
    const temp = base + weather.temp + normal() * 6;
    const speed = 4 + 14 * weather.wind * random();
    const delay = 1 / (1 + Math.exp(1.4 - 0.018 * (temp - 35) - normal() * 0.5));
    return new Map<string, Value>([
      ['distance', Math.round(200 + 2300 * random() ** 2)],
      ['hour', 5 + Math.floor(18 * random())],
      ['temp', Math.round(temp * 50) / 50],
      ['dewp', Math.round((temp - 14 + normal() * 6) * 50) / 50],
      ['humid', Math.min(100, Math.max(12, 55 + (weather.rain ? 15 : 0) + normal() * 14))],
      ['wind_dir', Math.floor(random() * 37) * 10],
      ['wind_speed', speed],
      ['wind_gust', random() < 0.66 ? null : speed * 1.4],
      ['precip', weather.rain && random() < 0.5 ? random() * 0.4 : 0],
      ['pressure', sensorDown && random() < 0.6 ? null : 1017 + weather.pressure + normal() * 6],
      ['visib', random() < 0.85 ? 10 : Math.ceil(random() * 9)],
      ['carrier', pick(carriers, 1.6)],
      ['origin', pick(['EWR', 'JFK', 'LGA'], 1.1)],
      ['dest', `A${Math.floor(80 * random() ** 1.7)}`],
      ['weekday', WEEKDAYS[new Date(dayMs).getUTCDay()] ?? ''],
      ['prediction', delay > 0.5 ? '1' : '0'],
      ['prediction_proba', Math.round(delay * 1e4) / 1e4],
    ]);
  });
}

/** A grid from reference rows: every distinct value up to 200, else 200 order statistics; 50 categories. */
export function gridOf(column: FeatureSchema, rows: readonly Row[]): Grid {
  const values = rows.map((row) => row.get(column.name) ?? null).filter((value) => value !== null);
  if (column.kind === 'categorical') {
    const counts = new Map<string, number>();
    for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
    const categories = [...counts]
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .map(([name]) => name);
    return {
      kind: 'categorical',
      feature: column.name,
      categories,
      headSize: Math.min(50, categories.length),
    };
  }
  const sorted = values.map(Number).sort((a, b) => a - b);
  const distinct = [...new Set(sorted)];
  const cutPoints =
    distinct.length <= 200
      ? distinct
      : [
          ...new Set(
            Array.from({ length: 200 }, (_, i) => sorted[Math.floor((i * (sorted.length - 1)) / 199)] ?? 0),
          ),
        ];
  return { kind: 'numeric', feature: column.name, cutPoints, quantum: 1 };
}

/** Counts rows on a grid, as the store would. */
export function profileOf(grid: Grid, rows: readonly Row[]): Profile {
  const counts = new Array<number>(cellCount(grid)).fill(0);
  let missing = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  const cells = grid.kind === 'categorical' ? new Map(grid.categories.map((name, i) => [name, i])) : null;
  for (const row of rows) {
    const value = row.get(grid.feature) ?? null;
    if (value === null) {
      missing++;
      continue;
    }
    let cell: number;
    if (grid.kind === 'numeric') {
      const x = Number(value);
      min = Math.min(min, x);
      max = Math.max(max, x);
      const above = grid.cutPoints.findIndex((cut) => cut >= x);
      const index = above === -1 ? grid.cutPoints.length : above;
      cell = grid.cutPoints[index] === x ? 2 * index + 1 : 2 * index;
    } else {
      const known = cells?.get(String(value));
      cell = known === undefined ? grid.headSize + 1 : Math.min(known, grid.headSize);
    }
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  return {
    feature: grid.feature,
    kind: grid.kind,
    rows: rows.length,
    missing,
    nonFinite: 0,
    mistyped: 0,
    counts,
    offsets: grid.kind === 'numeric' ? counts.map(() => 0) : [],
    min: Number.isFinite(min) ? min : null,
    max: Number.isFinite(max) ? max : null,
  };
}

export function mergeProfiles(profiles: readonly Profile[]): Profile | null {
  const first = profiles[0];
  if (first === undefined) return null;
  const sum = (pick: (profile: Profile) => number) =>
    profiles.reduce((total, profile) => total + pick(profile), 0);
  const lows = profiles.map((profile) => profile.min).filter((value) => value !== null);
  const highs = profiles.map((profile) => profile.max).filter((value) => value !== null);
  return {
    ...first,
    rows: sum((profile) => profile.rows),
    missing: sum((profile) => profile.missing),
    counts: first.counts.map((_, cell) => sum((profile) => profile.counts[cell] ?? 0)),
    min: lows.length === 0 ? null : Math.min(...lows),
    max: highs.length === 0 ? null : Math.max(...highs),
  };
}
