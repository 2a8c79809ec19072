import { createStoreClient, type StoreLocation } from '../../src/store/client.js';

const TABLES = ['predictions', 'labels', 'rejected'] as const;

/** One offset of one partition, and what is stored of it. */
export interface StoredOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The tables its rows are in, one for each row. */
  readonly tables: readonly (typeof TABLES)[number][];
  /** Id of the row, for topics whose events are named by their place (`placeOf`); empty of a rejected one. */
  readonly ids: readonly string[];
}

/** What a partition holds that it should not, or lacks. */
export interface Violation {
  readonly topic: string;
  readonly partition: number;
  /** Offsets below the end of the log that are nowhere. */
  readonly missing: readonly number[];
  /** Offsets with more than one row, as `offset:table+table`. */
  readonly repeated: readonly string[];
  /** Offsets that the log does not have. */
  readonly beyond: readonly number[];
  /** Rows whose id belongs to another offset. */
  readonly misplaced: readonly string[];
}

export const placeOf = (topic: string, partition: number, offset: number) =>
  `${topic}/${partition}/${offset}`;

/** What is stored of these topics, over predictions, labels and rejected rows together. */
export async function storedOffsets(
  location: StoreLocation,
  topics: readonly string[],
): Promise<StoredOffset[]> {
  const client = await createStoreClient(location);
  try {
    const rows = TABLES.map(
      (table) =>
        `SELECT splitByChar('@', source_topic)[1] AS topic, source_partition AS part, source_offset AS offset,
           '${table}' AS source, ${table === 'rejected' ? `''` : 'prediction_id'} AS id
         FROM ${table} WHERE source_kind = 'kafka'`,
    ).join(' UNION ALL ');
    return await client.query<StoredOffset>(
      `SELECT topic, part AS partition, offset, groupArray(source) AS tables, groupArray(id) AS ids
       FROM (${rows}) WHERE topic IN {topics:Array(String)} GROUP BY topic, partition, offset ORDER BY topic, partition, offset`,
      { topics: [...topics] },
    );
  } finally {
    await client.close();
  }
}

/**
 * Holds what is stored against the logs: every offset in [0, end) exactly once, whatever its record became. The logs alone say what is
 * expected, never the tables. Empty when all is well. `placed`: ids are those of `placeOf`.
 */
export function violationsOf(
  ends: ReadonlyMap<string, readonly number[]>,
  stored: readonly StoredOffset[],
  { placed = false }: { placed?: boolean } = {},
): Violation[] {
  const found = new Map<string, Map<number, StoredOffset>>();
  for (const row of stored) {
    const key = `${row.topic}/${row.partition}`;
    const offsets = found.get(key) ?? new Map<number, StoredOffset>();
    found.set(key, offsets.set(row.offset, row));
  }
  const violations: Violation[] = [];
  for (const [topic, partitions] of ends) {
    for (const [partition, end] of partitions.entries()) {
      const offsets = found.get(`${topic}/${partition}`) ?? new Map<number, StoredOffset>();
      found.delete(`${topic}/${partition}`);
      const missing = Array.from({ length: end }, (_, offset) => offset).filter(
        (offset) => !offsets.has(offset),
      );
      const rows = [...offsets.values()];
      const repeated = rows
        .filter(({ tables }) => tables.length !== 1)
        .map(({ offset, tables }) => `${offset}:${tables.join('+')}`);
      const beyond = rows.map(({ offset }) => offset).filter((offset) => offset < 0 || offset >= end);
      const misplaced = placed
        ? rows.flatMap(({ offset, ids }) =>
            ids
              .filter((id) => id !== '' && id !== placeOf(topic, partition, offset))
              .map((id) => `${offset}:${id}`),
          )
        : [];
      if (missing.length + repeated.length + beyond.length + misplaced.length > 0)
        violations.push({ topic, partition, missing, repeated, beyond, misplaced });
    }
  }
  for (const [place] of found)
    throw new Error(`rows of ${place} were asked for, of which the logs say nothing`);
  return violations;
}

/** The first offset of each partition that is not stored: nothing at or beyond it may be committed. */
export function firstMissing(stored: readonly StoredOffset[], topic: string, partition: number): number {
  const offsets = new Set(
    stored.filter((row) => row.topic === topic && row.partition === partition).map(({ offset }) => offset),
  );
  let first = 0;
  while (offsets.has(first)) first += 1;
  return first;
}

const FEW = 8;

/** One line for each violation, with a few of its offsets. */
export function violationText({ topic, partition, missing, repeated, beyond, misplaced }: Violation): string {
  const parts = Object.entries({ missing, 'more than once': repeated, beyond, misplaced })
    .filter(([, offsets]) => offsets.length > 0)
    .map(
      ([what, offsets]) =>
        `${offsets.length} ${what} (${offsets.slice(0, FEW).join(', ')}${offsets.length > FEW ? ', …' : ''})`,
    );
  return `${topic}/${partition}: ${parts.join('; ')}`;
}
