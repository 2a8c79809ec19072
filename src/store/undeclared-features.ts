import { type ModelVersion, RESERVED_FEATURES } from '../domain/model.js';
import type { ProfileStore } from '../domain/ports.js';
import type { UndeclaredFeature } from '../domain/schema-changes.js';
import { HOUR_MS, type Window } from '../domain/window.js';
import { createBatch, loadByGroup, OF_VERSIONS, PLACE_OF_VERSION, versionsOf } from './batch.js';
import type { StoreClient } from './client.js';
import { HOUR_OF_ROW, rowsOfHours } from './profile-source.js';
import { spanOf } from './profile-sql.js';

/** Kept of an hour: a sender that makes names of ids would fill the table. */
const MAX_PER_HOUR = 100;
/** Told of a period. */
const MAX_TOLD = 1_000;
/** Each with as many features as are told. */
const VERSIONS_PER_STATEMENT = 64;

interface Call {
  readonly model: ModelVersion;
  readonly period: Window;
}

interface HourRow {
  /** Of its version; left out where there is one. */
  readonly place?: number;
  readonly hour: number;
  readonly feature: string;
  readonly numbers: number;
  readonly texts: number;
}

/** Rows are few in kind: names are compared once for each list of names, not once for each row. */
function countSql(many: boolean): string {
  const span = spanOf({ many });
  const { place } = span;
  const declared = many ? '{declaredOf:Array(Array(String))}[place + 1]' : '{declared:Array(String)}';
  return `
  SELECT ${place}hour, name.1 AS feature, sumIf(n, name.2 = 1) AS numbers, sumIf(n, name.2 = 0) AS texts
  FROM (SELECT ${span.placed}${HOUR_OF_ROW} AS hour, num.keys AS number_names, cat.keys AS text_names, count() AS n
        FROM predictions WHERE ${rowsOfHours(span)} GROUP BY ${place}hour, number_names, text_names)
  ARRAY JOIN arrayConcat(arrayMap(key -> (toString(key), 1), number_names), arrayMap(key -> (toString(key), 0), text_names)) AS name
  WHERE NOT has(${declared}, feature)
  GROUP BY ${place}hour, feature ORDER BY sum(n) DESC, feature LIMIT ${MAX_PER_HOUR} BY ${place}hour`;
}

/** Counts them in hours of versions, several at once. Parameters: those of the source of their rows (profile-source.ts). */
export type UndeclaredCounter = (
  models: readonly ModelVersion[],
  params: Readonly<Record<string, unknown>>,
) => Promise<void>;

export function createUndeclaredFeatures(
  client: StoreClient,
  nextRevision: () => number,
): Pick<ProfileStore, 'undeclaredFeatures'> & {
  readonly count: UndeclaredCounter;
} {
  /** Of versions that are asked about with the same period. */
  async function featuresOfAll(calls: readonly Call[]): Promise<UndeclaredFeature[][]> {
    const { startMs = 0, endMs = 0 } = calls[0]?.period ?? {};
    const { params, placeOf } = versionsOf(calls.map(({ model }) => model));
    const rows = await client.query<UndeclaredFeature & { place: number }>(
      `SELECT place, feature, sum(u.numbers) AS numbers, sum(u.texts) AS texts,
         min(hour) * ${HOUR_MS} AS firstHourMs, max(hour) * ${HOUR_MS} AS lastHourMs
       FROM (SELECT *, ${PLACE_OF_VERSION} AS place FROM undeclared_features FINAL
             WHERE ${OF_VERSIONS} AND hour >= {from:Int64} AND hour < {to:Int64}) AS u
       GROUP BY place, feature ORDER BY place, numbers + texts DESC, feature LIMIT ${MAX_TOLD} BY place`,
      { ...params, from: Math.floor(startMs / HOUR_MS), to: Math.ceil(endMs / HOUR_MS) },
    );
    return calls.map(({ model }) => {
      // Declared since: a version can be registered again.
      const declared = new Set(model.schema.features.map(({ name }) => name));
      return rows
        .filter(({ place, feature }) => place === placeOf(model) && !declared.has(feature))
        .map(({ place: _, ...feature }) => feature);
    });
  }

  const featuresOf = createBatch(
    (calls: readonly Call[]) =>
      loadByGroup(calls, ({ period: { startMs, endMs } }) => `${startMs}-${endMs}`, featuresOfAll),
    VERSIONS_PER_STATEMENT,
  );

  return {
    async count(models, params) {
      const many = models.length > 1;
      const declaredOf = models.map(({ schema }) => [
        ...schema.features.map(({ name }) => name),
        ...RESERVED_FEATURES,
      ]);
      const declared = many ? { declaredOf } : { declared: declaredOf[0] ?? [] };
      const rows = await client.query<HourRow>(countSql(many), { ...params, ...declared });
      const revision = nextRevision();
      await client.insert(
        'undeclared_features',
        rows.flatMap(({ place = 0, ...row }) => {
          const model = models[place];
          return model === undefined
            ? []
            : [{ model: model.model, version: model.modelVersion, ...row, revision }];
        }),
      );
    },

    undeclaredFeatures: async (model, period) => featuresOf({ model, period }),
  };
}
