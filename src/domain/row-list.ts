import type { PredictionRow } from './prediction.js';

/** Rows in the order they came. An array is one; others keep them in less room, and make a row anew when it is asked for. */
export interface RowList<Row> extends Iterable<Row> {
  readonly length: number;
  at(index: number): Row | undefined;
}

export interface GrowingRowList<Row> extends RowList<Row> {
  push(row: Row): unknown;
}

export interface PredictionList extends RowList<PredictionRow> {
  /** For a list that kept it while rows were added. */
  readonly tally?: PredictionTally;
}

export interface GrowingPredictions extends PredictionList, GrowingRowList<PredictionRow> {
  /** Takes a row that will be overwritten by the next one; of a list that does not keep rows as they came. */
  readonly pushBorrowed?: (row: BorrowedPrediction) => void;
}

/** Text of plain ASCII, in bytes that are somebody else's. */
export interface PlainText {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly end: number;
}

/** A row, with its lists, that its reader overwrites with the next one. */
export interface BorrowedPrediction extends PredictionRow {
  /** Its id where it was read: most are written to a column and never needed as a string. Null when only `predictionId` tells it. */
  readonly plainId: PlainText | null;
}

/** Adds a row that its reader will overwrite. */
export function pushBorrowed(list: GrowingPredictions, row: BorrowedPrediction): void {
  if (list.pushBorrowed === undefined) list.push(keptRow(row));
  else list.pushBorrowed(row);
}

/** What `treat` makes of the row: another one has no id in bytes. */
export function treatBorrowed(
  row: BorrowedPrediction,
  treat: (row: PredictionRow) => PredictionRow,
): BorrowedPrediction {
  const treated = treat(row);
  return treated === row ? row : { ...treated, plainId: null };
}

/** A row of one's own. */
export function keptRow({ plainId: _, ...row }: BorrowedPrediction): PredictionRow {
  return structuredClone(row);
}

/** What is counted of one version's rows. */
export interface VersionTally {
  readonly model: string;
  readonly modelVersion: string;
  rows: number;
  /** Greatest event time, ms. */
  newestMs: number;
  /** Of the rows that have one. */
  readonly latenciesMs: number[];
}

/** Counts rows by version. */
export class PredictionTally {
  readonly #versions = new Map<string, VersionTally>();
  #last: VersionTally | undefined;

  add(row: PredictionRow): void {
    const version = this.#versionOf(row.model, row.modelVersion);
    version.rows += 1;
    if (row.timestampMs > version.newestMs) version.newestMs = row.timestampMs;
    if (row.latencyMs !== null) version.latenciesMs.push(row.latencyMs);
  }

  addAll(other: PredictionTally): void {
    for (const { model, modelVersion, rows, newestMs, latenciesMs } of other.versions()) {
      const version = this.#versionOf(model, modelVersion);
      version.rows += rows;
      version.newestMs = Math.max(version.newestMs, newestMs);
      for (const latencyMs of latenciesMs) version.latenciesMs.push(latencyMs);
    }
  }

  versions(): Iterable<VersionTally> {
    return this.#versions.values();
  }

  #versionOf(model: string, modelVersion: string): VersionTally {
    const last = this.#last;
    // Rows of one version come one after the other: a key for each would cost more than all else here.
    if (last !== undefined && last.model === model && last.modelVersion === modelVersion) return last;
    const key = `${model}\0${modelVersion}`;
    const version = this.#versions.get(key) ?? {
      model,
      modelVersion,
      rows: 0,
      newestMs: Number.NEGATIVE_INFINITY,
      latenciesMs: [],
    };
    this.#versions.set(key, version);
    this.#last = version;
    return version;
  }
}

export function tallyOf(rows: PredictionList): PredictionTally {
  if (rows.tally !== undefined) return rows.tally;
  const tally = new PredictionTally();
  for (const row of rows) tally.add(row);
  return tally;
}
