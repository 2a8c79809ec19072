import { type FeatureSchema, LABEL, type ModelVersion } from '../domain/model.js';
import type { DirtyBuckets, ProfileStore, VerdictStore } from '../domain/ports.js';
import { PRODUCTION } from '../domain/ports.js';
import { HOUR_MS } from '../domain/window.js';
import { OF_VERSIONS, PLACE_OF_VERSION, versionsOf } from './batch.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import { hourParams, hourSlices, hoursAround, type StoredHour } from './hour-slices.js';
import type { ProfileCounter } from './profile-counter.js';
import {
  COUNT_IDENTITIES_SQL,
  HOURS_OF_LABELS_SQL,
  labelSource,
  UNCOUNTED_LABELS_SQL,
} from './profile-source.js';
import { createRowCounts } from './row-counts.js';

export const isLabel = (column: FeatureSchema) => column.name === LABEL;

/** Labels come when the hour of their prediction has long been counted: their column is counted again by itself. */
export function createLabelProfiles(
  client: StoreClient,
  counter: ProfileCounter,
  nextRevision: () => number,
  /** Of some hours of a version, those that are counted and still stored in full. */
  completeHours: (model: ModelVersion, hours: readonly number[]) => Promise<StoredHour[]>,
): Pick<ProfileStore, 'profileLabels'> & Pick<VerdictStore, 'labelledRows'> {
  async function recount(model: ModelVersion, arrivals: readonly [number, number][]): Promise<number[]> {
    const { columns, hoursPerStatement } = await counter.plan(model);
    const label = columns.filter(isLabel);
    const found = await client.query<{ hour: number }>(HOURS_OF_LABELS_SQL, {
      model: model.model,
      version: model.modelVersion,
      arrivals: arrivals.map(([arrival]) => arrival),
    });
    const hours =
      label.length === 0
        ? []
        : await completeHours(
            model,
            found.map(({ hour }) => hour),
          );
    for (const slice of hourSlices(hours, hoursPerStatement)) {
      const params = hourParams(model, slice);
      const [seen] = await client.query<{ stored: number; identities: number }>(COUNT_IDENTITIES_SQL, params);
      const source = labelSource(seen?.stored !== seen?.identities);
      const revision = nextRevision();
      await counter.count({
        scope: PRODUCTION,
        model,
        source,
        params,
        hours: params.hours,
        revision,
        columns: label,
      });
    }
    // Labels as they were before counting: what came meanwhile is counted next time.
    const revision = nextRevision();
    await client.insert(
      'counted_labels',
      arrivals.map(([arrival, labels]) => ({
        model: model.model,
        version: model.modelVersion,
        arrival,
        labels,
        revision,
      })),
    );
    return hours.map(({ hour }) => hour);
  }

  return {
    async profileLabels(models) {
      const uncounted = await client.query<{ model: string; version: string; arrivals: [number, number][] }>(
        UNCOUNTED_LABELS_SQL,
      );
      const recounted: DirtyBuckets[] = [];
      for (const { model: name, version, arrivals } of uncounted) {
        const model = models.find((m) => m.model === name && m.modelVersion === version);
        if (model?.schema.label !== true) continue;
        const hours = await recount(model, arrivals);
        const hourStartsMs = hours.map((hour) => hour * HOUR_MS);
        if (hours.length > 0) recounted.push({ model: name, modelVersion: version, hourStartsMs });
      }
      return recounted;
    },

    labelledRows: createRowCounts(async (keys, windows) => {
      const { params, placeOf } = versionsOf(keys);
      const { fromHour, toHour } = hoursAround(windows);
      const rows = await client.query<{ place: number; hour: number; counted: number }>(
        // A version whose reference has no labels has them in its performance only.
        `SELECT place, hour, max(labelled) AS counted FROM (
           SELECT ${PLACE_OF_VERSION} AS place, intDiv(toUnixTimestamp64Milli(bucket), 3600000) AS hour,
             toInt64(rows) - toInt64(missing) AS labelled
           FROM profiles FINAL
           WHERE scope = {scope:String} AND ${OF_VERSIONS} AND granularity = 'hour'
             AND feature = {feature:String} AND bucket >= {fromTs:DateTime64(3, 'UTC')} AND bucket < {toTs:DateTime64(3, 'UTC')}
           UNION ALL
           SELECT ${PLACE_OF_VERSION} AS place, hour, toInt64(performance_hours.labelled) AS labelled FROM performance_hours FINAL
           WHERE scope = {scope:String} AND ${OF_VERSIONS} AND hour >= {fromHour:Int64} AND hour < {toHour:Int64})
         GROUP BY place, hour ORDER BY place, hour`,
        {
          ...params,
          scope: PRODUCTION,
          feature: LABEL,
          fromHour,
          toHour,
          fromTs: dateTime64(fromHour * HOUR_MS),
          toTs: dateTime64(toHour * HOUR_MS),
        },
      );
      return keys.map((key) => rows.filter(({ place }) => place === placeOf(key)));
    }),
  };
}
