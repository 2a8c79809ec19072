import { type ModelVersion, modelColumns } from '../domain/model.js';
import { PRODUCTION } from '../domain/ports.js';
import type { SegmentStore } from '../domain/reference-ports.js';
import {
  MAX_SEGMENT_VALUE,
  type Segment,
  type SegmentSetting,
  segmentScope,
  tagOf,
} from '../domain/segment.js';
import { HOUR_MS } from '../domain/window.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import type { GridStore } from './grid-store.js';
import type { ProfileCounter } from './profile-counter.js';
import { COUNT_IDENTITIES_SQL, HOUR_OF_ROW, productionSource } from './profile-source.js';
import type { ProfileSource } from './profile-sql.js';

const OF_VERSION = 'model = {model:String} AND version = {version:String}';

/** Hours of which no rows have expired since they were counted. */
const WHOLE_HOURS_SQL = `
  SELECT s.hour AS hour
  FROM (SELECT ${HOUR_OF_ROW} AS hour, count() AS stored FROM predictions
        WHERE ${OF_VERSION} AND hour IN {hours:Array(Int64)} GROUP BY hour) AS s
  LEFT JOIN (SELECT hour, argMax(raw_rows, revision) AS counted FROM profiled_hours
             WHERE ${OF_VERSION} AND hour IN {hours:Array(Int64)} GROUP BY hour) AS p ON s.hour = p.hour
  WHERE s.stored >= p.counted ORDER BY hour`;

const SEGMENT_OF_ROW = {
  tag: '(mapContains(tags, {segmentColumn:String}) AND tags[{segmentColumn:String}] = {segmentValue:String})',
  feature:
    '(mapContains(cat, {segmentColumn:String}) AND cat[{segmentColumn:String}] = {segmentValue:String})',
} as const;

/** Verdicts for parts of the traffic: which parts, and their counts. */
export function createSegmentStore(
  client: StoreClient,
  grids: GridStore,
  counter: ProfileCounter,
  nextRevision: () => number,
): SegmentStore {
  async function valuesOfTag(model: ModelVersion, tag: string, top: number): Promise<string[]> {
    const params = { model: model.model, version: model.modelVersion, tag, top, longest: MAX_SEGMENT_VALUE };
    const [kept] = await client.query<{ values: string[] }>(
      `SELECT values FROM segment_values WHERE ${OF_VERSION} AND column = {tag:String} AND top = {top:UInt32}
       ORDER BY revision DESC LIMIT 1`,
      params,
    );
    if (kept !== undefined) return kept.values;
    const rows = await client.query<{ value: string }>(
      `SELECT tags[{tag:String}] AS value FROM predictions
       WHERE ${OF_VERSION} AND value != '' AND lengthUTF8(value) <= {longest:UInt32}
       GROUP BY value ORDER BY count() DESC, value LIMIT {top:UInt32}`,
      params,
    );
    const values = rows.map(({ value }) => value);
    if (values.length > 0)
      await client.insert('segment_values', [
        {
          model: model.model,
          version: model.modelVersion,
          column: tag,
          top,
          values,
          revision: nextRevision(),
        },
      ]);
    return values;
  }

  async function valuesOf(model: ModelVersion, column: string, top: number): Promise<readonly string[]> {
    const tag = tagOf(column);
    if (tag !== null) return valuesOfTag(model, tag, top);
    const grid = (await grids.byFeature(model.model)).get(column);
    const isFeature = model.schema.features.some(
      ({ name, kind }) => name === column && kind === 'categorical',
    );
    if (!isFeature || grid?.kind !== 'categorical') return [];
    return grid.categories
      .slice(0, grid.headSize)
      .filter((value) => value !== '' && value.length <= MAX_SEGMENT_VALUE)
      .slice(0, top);
  }

  async function count(model: ModelVersion, segment: Segment, hours: readonly number[]): Promise<void> {
    const tag = tagOf(segment.column);
    const params = {
      model: model.model,
      version: model.modelVersion,
      hours,
      fromTs: dateTime64((hours[0] ?? 0) * HOUR_MS),
      toTs: dateTime64(((hours.at(-1) ?? 0) + 1) * HOUR_MS),
      segmentColumn: tag ?? segment.column,
      segmentValue: segment.value,
    };
    const names = new Set(modelColumns(model.schema).map((column) => column.name));
    const columns = (await counter.plan(model)).columns.filter((column) => names.has(column.name));
    const [seen] = await client.query<{ stored: number; identities: number }>(COUNT_IDENTITIES_SQL, params);
    await counter.count({
      scope: segmentScope(PRODUCTION, segment),
      model,
      source: narrowed(
        productionSource(seen?.stored !== seen?.identities, model.schema),
        tag === null ? SEGMENT_OF_ROW.feature : SEGMENT_OF_ROW.tag,
      ),
      params: {
        ...params,
        timeColumns: columns.filter((column) => column.time === true).map((column) => column.name),
      },
      hours,
      revision: nextRevision(),
      columns,
    });
  }

  return {
    async segmentsOf(model, { by, top }: SegmentSetting) {
      const segments: Segment[] = [];
      for (const column of new Set(by))
        for (const value of await valuesOf(model, column, top)) segments.push({ column, value });
      return segments;
    },

    async profileSegments(model, segments, hourStartsMs) {
      if (segments.length === 0) return;
      const { hoursPerStatement } = await counter.plan(model);
      const rows = await client.query<{ hour: number }>(WHOLE_HOURS_SQL, {
        model: model.model,
        version: model.modelVersion,
        hours: hourStartsMs.map((ms) => Math.floor(ms / HOUR_MS)),
      });
      const hours = rows.map(({ hour }) => hour);
      for (let at = 0; at < hours.length; at += hoursPerStatement)
        for (const segment of segments) await count(model, segment, hours.slice(at, at + hoursPerStatement));
    },
  };
}

/** The source with fewer rows: all its subqueries read `predictions` by a clause of its own. */
function narrowed(source: ProfileSource, condition: string): ProfileSource {
  const narrow = (sql: string) =>
    sql.replace(/FROM predictions\s+WHERE /g, `FROM predictions WHERE ${condition} AND `);
  return {
    ...source,
    numbers: narrow(source.numbers),
    texts: narrow(source.texts),
    hours: narrow(source.hours),
  };
}
