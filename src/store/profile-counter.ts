import { type FeatureSchema, type ModelVersion, profiledColumns } from '../domain/model.js';
import type { ProfileScope } from '../domain/ports.js';
import { cellCount, type Grid } from '../domain/profile.js';
import { DAY_MS, HOUR_MS } from '../domain/window.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import type { GridStore } from './grid-store.js';
import { dayProfilesSql, numericProfilesSql, type ProfileSource, textProfilesSql } from './profile-sql.js';

/** A count and an offset. */
const BYTES_PER_CELL = 16;
/** The arrays of one statement's hours together, about. */
const ARRAY_BYTES = 256 * 1_024 * 1_024;
const MAX_HOURS = 168;
/** Columns of a file that one statement reads beside each other: bounds its memory. */
const COLUMNS_AT_ONCE = 32;
const HOURS_PER_DAY = DAY_MS / HOUR_MS;

export interface CountInput {
  readonly scope: ProfileScope;
  readonly model: ModelVersion;
  readonly source: ProfileSource;
  /** Parameters of the source's subqueries. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Hours that the source has, counted from the epoch: their days are summed anew. */
  readonly hours: readonly number[];
  readonly revision: number;
  /** The columns that the source has, of those that can be counted. */
  readonly columns: readonly FeatureSchema[];
}

export interface ProfileCounter {
  /** Columns of a model that can be counted, and how many of its hours one statement may hold. */
  plan(model: ModelVersion): Promise<{ columns: FeatureSchema[]; hoursPerStatement: number }>;
  /** Counts the source into hour profiles, replacing them whole, then sums the days that hold those hours. */
  count(input: CountInput): Promise<void>;
}

/** Counts rows into cells inside the engine, for production and references alike. */
export function createProfileCounter(client: StoreClient, grids: GridStore): ProfileCounter {
  async function plan(model: ModelVersion) {
    const known = await grids.byFeature(model.model);
    const fits = (column: FeatureSchema) => known.get(column.name)?.kind === column.kind;
    const columns = profiledColumns(model.schema).filter(fits);
    const cells = columns.reduce((sum, column) => sum + cellCount(known.get(column.name) as Grid), 0);
    const hours = Math.floor(ARRAY_BYTES / Math.max(1, cells * BYTES_PER_CELL));
    return { columns, hoursPerStatement: Math.min(MAX_HOURS, Math.max(1, hours)) };
  }

  async function countNumbers(
    source: ProfileSource,
    params: Readonly<Record<string, unknown>> & { readonly numericColumns: readonly string[] },
  ): Promise<void> {
    if (source.counts === undefined) return client.command(numericProfilesSql(source), params);
    for (let at = 0; at < params.numericColumns.length; at += COLUMNS_AT_ONCE) {
      const some = params.numericColumns.slice(at, at + COLUMNS_AT_ONCE);
      await client.command(numericProfilesSql(source, source.counts(some)), {
        ...params,
        numericColumns: some,
      });
    }
  }

  return {
    plan,

    async count({ scope, model, source, params, hours, revision, columns }) {
      if (hours.length === 0 || columns.length === 0) return;
      const namesOf = (kind: FeatureSchema['kind']) =>
        columns.filter((column) => column.kind === kind).map((column) => column.name);
      const all = {
        ...params,
        numericColumns: namesOf('numeric'),
        textColumns: namesOf('categorical'),
        scope,
        model: model.model,
        version: model.modelVersion,
        revision,
      };
      if (all.numericColumns.length > 0) await countNumbers(source, all);
      if (all.textColumns.length > 0) await client.command(textProfilesSql(source), all);
      const days = [...new Set(hours.map((hour) => Math.floor(hour / HOURS_PER_DAY)))].sort((a, b) => a - b);
      await client.command(dayProfilesSql(source), {
        ...all,
        columns: columns.map(({ name }) => name),
        days,
        fromTs: dateTime64((days[0] ?? 0) * DAY_MS),
        toTs: dateTime64(((days.at(-1) ?? 0) + 1) * DAY_MS),
      });
    },
  };
}
