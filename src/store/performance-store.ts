import type { ModelVersion } from '../domain/model.js';
import type { PerformanceSetting, PerformanceStore } from '../domain/performance.js';
import { PRODUCTION } from '../domain/ports.js';
import { requestRuleOf } from '../domain/request-rule.js';
import { type Segment, segmentScope, tagOf } from '../domain/segment.js';
import { HOUR_MS } from '../domain/window.js';
import type { StoreClient } from './client.js';
import { hourParams, hourSlices, type StoredHour } from './hour-slices.js';
import {
  HOUR_DIGESTS_SQL,
  HOURS_OF_LABELS_SQL,
  KEPT_ROWS_SQL,
  keepRowsSql,
  productionPairs,
  RAW_ROWS_SQL,
  rowsOfHours,
  UNMEASURED_HOURS_SQL,
  UNMEASURED_LABELS_SQL,
} from './performance-source.js';
import { performanceSql } from './performance-sql.js';
import { COUNT_IDENTITIES_SQL } from './profile-source.js';

const TIMEOUT_MS = 600_000;
/** Rows whose scores one statement sorts, about: four million different ones took 7 GB. */
const MAX_ROWS = 400_000;
/** Hours that one statement counts at most. */
const MAX_HOURS = 1_000;

/** Text that differs between settings whose counts differ. */
export function settingsText(model: ModelVersion, setting: PerformanceSetting): string {
  const { positiveClass, segments } = setting;
  return JSON.stringify([
    model.schema.task,
    positiveClass,
    segments.map(({ column, value }) => [column, value]),
  ]);
}

/** Predictions against their labels per hour, counted inside the engine. */
export function createPerformanceStore(
  client: StoreClient,
  nextRevision: () => number,
): Pick<PerformanceStore, 'measurePerformance' | 'labelledVersions'> {
  const limits = { timeoutMs: TIMEOUT_MS };

  async function keepRows(
    model: ModelVersion,
    hours: readonly StoredHour[],
    { segmentColumns, requestId }: PerformanceSetting,
  ): Promise<void> {
    const columns = [...new Set(segmentColumns)];
    const { tag, prefix, suffix } = requestRuleOf(requestId, model.modelVersion);
    for (const slice of hourSlices(hours, MAX_HOURS)) {
      const params = {
        ...hourParams(model, slice),
        segmentTags: columns.flatMap((column) => tagOf(column) ?? []),
        segmentFeatures: columns.filter((column) => tagOf(column) === null),
        requestTag: tag,
        requestPrefix: prefix,
        requestSuffix: suffix,
      };
      const [seen] = await client.query<{ stored: number; identities: number }>(
        COUNT_IDENTITIES_SQL,
        params,
        limits,
      );
      if ((seen?.stored ?? 0) > 0)
        await client.command(keepRowsSql(seen?.stored !== seen?.identities), params, limits);
    }
  }

  async function digestsOf(model: ModelVersion, slice: readonly StoredHour[]) {
    const rows = await client.query<{ hour: number; predictions: number; labelled: number; digest: string }>(
      HOUR_DIGESTS_SQL,
      { ...keyOf(model), scope: PRODUCTION, hours: slice.map(({ hour }) => hour) },
      limits,
    );
    return new Map(
      rows.map(({ hour, predictions, labelled, digest }) => [
        hour,
        { sizes: `${predictions} ${labelled}`, digest },
      ]),
    );
  }

  async function count(
    model: ModelVersion,
    slice: readonly StoredHour[],
    setting: PerformanceSetting,
  ): Promise<void> {
    const hours = slice.map(({ hour }) => hour);
    const raw = await client.query<StoredHour>(RAW_ROWS_SQL, { ...keyOf(model), hours }, limits);
    const rawRows = new Map(raw.map(({ hour, stored }) => [hour, stored]));
    const params = {
      ...keyOf(model),
      hours,
      rawRows: hours.map((hour) => rawRows.get(hour) ?? 0),
      settings: settingsText(model, setting),
      positiveClass: setting.positiveClass,
      revision: nextRevision(),
    };
    const { task } = model.schema;
    const scopeOf = (segment?: Segment) => segmentScope(PRODUCTION, segment);
    for (const segment of setting.segments)
      await client.command(
        performanceSql(productionPairs(task, rowsOfHours(true)), task),
        {
          ...params,
          scope: scopeOf(segment),
          segmentColumn: segment.column,
          segmentValue: segment.value,
        },
        limits,
      );
    // Last: it is what says that the hours are counted.
    await client.command(
      performanceSql(productionPairs(task, rowsOfHours(false)), task),
      { ...params, scope: scopeOf() },
      limits,
    );
  }

  /** Hours whose rows had expired before there were labels have nothing to be measured, and need not be looked at again. */
  async function markEmpty(
    model: ModelVersion,
    unmeasured: readonly StoredHour[],
    measured: readonly StoredHour[],
    setting: PerformanceSetting,
  ): Promise<void> {
    const kept = new Set(measured.map(({ hour }) => hour));
    const revision = nextRevision();
    await client.insert(
      'performance_hours',
      unmeasured
        .filter(({ hour }) => !kept.has(hour))
        .map(({ hour, stored }) => ({
          scope: PRODUCTION,
          ...keyOf(model),
          hour,
          raw_rows: stored,
          settings: settingsText(model, setting),
          revision,
        })),
    );
  }

  return {
    async labelledVersions() {
      const rows = await client.query<{ model: string; version: string }>(
        'SELECT model, version FROM labels GROUP BY model, version ORDER BY model, version',
      );
      return rows.map(({ model, version }) => ({ model, modelVersion: version }));
    },

    async measurePerformance(model, setting) {
      const unmeasured = await client.query<StoredHour>(UNMEASURED_HOURS_SQL, {
        ...keyOf(model),
        scope: PRODUCTION,
        settings: settingsText(model, setting),
      });
      await keepRows(model, unmeasured, setting);
      const stored = await client.query<{ arrivals: [number, number][] }>(
        UNMEASURED_LABELS_SQL,
        keyOf(model),
        limits,
      );
      const arrivals = stored[0]?.arrivals ?? [];
      const relabelled =
        arrivals.length === 0
          ? []
          : await client.query<{ hour: number }>(
              HOURS_OF_LABELS_SQL,
              { ...keyOf(model), arrivals: arrivals.map(([arrival]) => arrival) },
              limits,
            );
      const touched = [...new Set([...unmeasured, ...relabelled].map(({ hour }) => hour))];
      const hours = await client.query<StoredHour>(
        KEPT_ROWS_SQL,
        { ...keyOf(model), hours: touched },
        limits,
      );
      const correctedMs: number[] = [];
      for (const slice of hourSlices(hours, MAX_HOURS, MAX_ROWS)) {
        const before = await digestsOf(model, slice);
        await count(model, slice, setting);
        const after = await digestsOf(model, slice);
        for (const [hour, { sizes, digest }] of after) {
          const known = before.get(hour);
          if (known?.sizes === sizes && known.digest !== digest) correctedMs.push(hour * HOUR_MS);
        }
      }
      await markEmpty(model, unmeasured, hours, setting);
      // Labels as they were before counting: what came meanwhile is counted next time.
      const revision = nextRevision();
      await client.insert(
        'measured_labels',
        arrivals.map(([arrival, labels]) => ({
          model: model.model,
          version: model.modelVersion,
          arrival,
          labels,
          revision,
        })),
      );
      return { hourStartsMs: hours.map(({ hour }) => hour * HOUR_MS), correctedMs };
    },
  };
}

const keyOf = ({ model, modelVersion }: { model: string; modelVersion: string }) => ({
  model,
  version: modelVersion,
});
