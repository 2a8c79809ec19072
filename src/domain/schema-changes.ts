import type { Window } from './window.js';

/** A feature that production sends and the version does not declare: kept with its row, and judged by nobody. */
export interface UndeclaredFeature {
  readonly feature: string;
  /** Rows in which it is a number, and in which it is text. */
  readonly numbers: number;
  readonly texts: number;
  /** Hours of the first and of the last row in the period, ms. */
  readonly firstHourMs: number;
  readonly lastHourMs: number;
}

/** How what production sends differs from what the version declares. */
export interface SchemaChanges {
  readonly model: string;
  readonly modelVersion: string;
  /** Whole hours. */
  readonly window: Window;
  /** Counted rows in it. */
  readonly rows: number;
  /** Sent and not declared, the most frequent first. */
  readonly added: readonly UndeclaredFeature[];
  /** Declared and in no row. */
  readonly removed: readonly string[];
  /** Numeric features that came as text, with the rows in which they did, the most frequent first. */
  readonly retyped: readonly { readonly feature: string; readonly rows: number }[];
}
