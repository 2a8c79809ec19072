import type { FeatureKind, FeatureSchema, ModelVersion } from '../domain/model.js';
import type { ProfileStore } from '../domain/ports.js';
import { PRODUCTION } from '../domain/ports.js';
import { HOUR_MS } from '../domain/window.js';
import { createBatch, loadByGroup, OF_VERSIONS, PLACE_OF_VERSION, versionsOf } from './batch.js';
import type { StoreClient } from './client.js';
import { hourParams, hourSlices, type StoredHour } from './hour-slices.js';
import { isLabel } from './label-profiles.js';
import type { ProfileCounter } from './profile-counter.js';
import { countIdentitiesSql, HOUR_OF_ROW, labelSource, productionSource } from './profile-source.js';
import type { ProfileSource } from './profile-sql.js';
import type { UndeclaredCounter } from './undeclared-features.js';

/** Their cut points, some forty thousand each, are held together. */
const VERSIONS_PER_STATEMENT = 8;
/** Rows of many versions that one statement counts: it finds the version of each row anew wherever it reads it. */
const SHARED_ROWS = 200_000;

/** Stored rows per version and hour, from the table's projection, beside the rows that were counted, and when (µs). */
export const STORED_AND_COUNTED = `
  SELECT s.model AS model, s.version AS version, s.hour AS hour, s.stored AS stored, p.counted AS counted,
    p.counted_at AS counted_at, max(s.hour) OVER (PARTITION BY s.model, s.version) AS newest
  FROM (SELECT model, version, ${HOUR_OF_ROW} AS hour, count() AS stored FROM predictions GROUP BY model, version, hour) AS s
  LEFT JOIN (SELECT model, version, hour, argMax(raw_rows, revision) AS counted, max(revision) AS counted_at
             FROM profiled_hours GROUP BY model, version, hour) AS p
    ON s.model = p.model AND s.version = p.version AND s.hour = p.hour`;

/** Some hours of one version, as many as one statement may hold. */
interface Slice {
  readonly model: ModelVersion;
  readonly columns: readonly FeatureSchema[];
  readonly hours: readonly StoredHour[];
  /** Of what one statement may hold. */
  readonly share: number;
}

interface Call {
  readonly model: ModelVersion;
  readonly hours: readonly number[];
}

interface Found extends StoredHour {
  readonly place: number;
}

/**
 * Counts production's hours. The engine plans the counting of some hundred rows ten times as long as it runs it: versions with the same hours
 * to count are counted together.
 */
export function createHourCounter(
  client: StoreClient,
  counter: ProfileCounter,
  countUndeclared: UndeclaredCounter,
  nextRevision: () => number,
) {
  /** Fewer rows than counted have expired in part, and history must not shrink. */
  async function storedHoursOf(calls: readonly Call[], where: string): Promise<StoredHour[][]> {
    const { params, placeOf } = versionsOf(calls.map(({ model }) => model));
    const rows = await client.query<Found>(
      `SELECT ${PLACE_OF_VERSION} AS place, hour, stored FROM (${STORED_AND_COUNTED})
       WHERE ${OF_VERSIONS} AND hour IN {hours:Array(Int64)} AND stored >= counted AND ${where}
       ORDER BY place, hour`,
      { ...params, hours: [...new Set(calls.flatMap(({ hours }) => hours))] },
    );
    return calls.map(({ model, hours }) => {
      const asked = new Set(hours);
      return rows.filter(({ place, hour }) => place === placeOf(model) && asked.has(hour));
    });
  }

  async function count(slices: readonly Slice[]): Promise<void> {
    const [{ model, hours, columns }] = slices as readonly [Slice, ...Slice[]];
    const many = slices.length > 1;
    const times = columns.filter((column) => column.time === true);
    const params = {
      ...hourParams(model, hours),
      ...(many ? versionsOf(slices.map((slice) => slice.model)).params : {}),
      timeColumns: times.map((column) => column.name),
    };
    const [seen] = await client.query<{ stored: number; identities: number }>(
      countIdentitiesSql({ many }),
      params,
    );
    const repeated = seen?.stored !== seen?.identities;
    const source = productionSource(repeated, model.schema, many);
    const rows = await client.query<{ place?: number; hour: number; rows: number }>(source.hours, params);
    const revision = nextRevision();
    const countSome = (from: ProfileSource, isAmong: (column: FeatureSchema) => boolean) =>
      counter.count({
        scope: PRODUCTION,
        model,
        params: many ? { ...params, ...columnsOfEach(slices, isAmong) } : params,
        hours: params.hours,
        revision,
        source: from,
        columns: distinct(slices.flatMap((slice) => slice.columns.filter(isAmong))),
      });
    await countSome(source, (column) => !isLabel(column));
    await countSome(labelSource(repeated, many), isLabel);
    await countUndeclared(
      slices.map((slice) => slice.model),
      params,
    );
    // Stored rows as they were before counting: one that came meanwhile makes its hour dirty again.
    await client.insert(
      'profiled_hours',
      slices.flatMap((slice, place) =>
        slice.hours.map(({ hour, stored }) => ({
          model: slice.model.model,
          version: slice.model.modelVersion,
          hour,
          raw_rows: stored,
          rows: rows.find((row) => (row.place ?? 0) === place && row.hour === hour)?.rows ?? 0,
          revision,
        })),
      ),
    );
  }

  async function slicesOf({ model }: Call, hours: readonly StoredHour[]): Promise<Slice[]> {
    const { columns, hoursPerStatement } = await counter.plan(model);
    return [...hourSlices(hours, hoursPerStatement)].map((slice) => ({
      model,
      columns,
      hours: slice,
      share: slice.length / hoursPerStatement,
    }));
  }

  const profile = createBatch(async (calls: readonly Call[]) => {
    const stored = await storedHoursOf(calls, 'true');
    const slices = await Promise.all(calls.map((call, i) => slicesOf(call, stored[i] ?? [])));
    await loadByGroup(inRounds(slices.flat()), likenessOf, async (alike) => {
      for (const together of packed(alike)) await count(together);
      return alike.map(() => undefined);
    });
    return calls.map(() => undefined);
  }, VERSIONS_PER_STATEMENT);

  return {
    async storedHours(model: ModelVersion, hours: readonly number[], where: string): Promise<StoredHour[]> {
      const [found] = await storedHoursOf([{ model, hours }], where);
      return found ?? [];
    },

    /** Profiles first, the mark that they are complete last, so that a crash repeats them. */
    profileHours: ((model, hourStartsMs) =>
      profile({
        model,
        hours: hourStartsMs.map((ms) => Math.floor(ms / HOUR_MS)),
      })) satisfies ProfileStore['profileHours'],
  };
}

/** Each slice with how many of its model come before it: grids tell the versions of a statement apart, so they are of different models. */
function inRounds(slices: readonly Slice[]): (Slice & { readonly round: number })[] {
  const rounds = new Map<string, number>();
  return slices.map((slice) => {
    const round = rounds.get(slice.model.model) ?? 0;
    rounds.set(slice.model.model, round + 1);
    return { ...slice, round };
  });
}

/** What slices of one round have in common that one statement can count: hours and task. Those with times are counted alone. */
function likenessOf({ model, columns, hours, round }: ReturnType<typeof inRounds>[number]): string {
  const alone = columns.some((column) => column.time === true) ? [model.model] : [];
  return JSON.stringify([round, model.schema.task, hours.map(({ hour }) => hour), ...alone]);
}

/** Slices in groups that one statement may hold. */
function* packed(slices: readonly Slice[]): Generator<readonly Slice[]> {
  const rowsOf = ({ hours }: Slice) => hours.reduce((sum, { stored }) => sum + stored, 0);
  let group: Slice[] = [];
  let rows = 0;
  let share = 0;
  for (const slice of slices) {
    if (group.length > 0 && (rows + rowsOf(slice) > SHARED_ROWS || share + slice.share > 1)) {
      yield group;
      group = [];
      rows = 0;
      share = 0;
    }
    group.push(slice);
    rows += rowsOf(slice);
    share += slice.share;
  }
  if (group.length > 0) yield group;
}

/** Columns by kind and name; one name may be of both kinds in different versions. */
function distinct(columns: readonly FeatureSchema[]): FeatureSchema[] {
  return [...new Map(columns.map((column) => [`${column.kind} ${column.name}`, column])).values()];
}

function columnsOfEach(slices: readonly Slice[], isAmong: (column: FeatureSchema) => boolean) {
  const namesOf = (kind: FeatureKind) =>
    slices.map(({ columns }) =>
      columns.filter((column) => column.kind === kind && isAmong(column)).map(({ name }) => name),
    );
  return { numericColumnsOf: namesOf('numeric'), textColumnsOf: namesOf('categorical') };
}
