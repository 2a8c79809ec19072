import type { StoreClient } from './client.js';

/** Tables whose rows are replaced under a greater revision. */
const REVISED =
  '^(models|references|reference_changes|grids|segment_values|segment_verdicts|profiles|performance_hours|error_streams|stream_detections|verdicts|outcomes|runs|episodes|webhook_events|webhook_attempts|webhook_holds|erasures|tombstones|undeclared_features|retrainings|episode_actions|policies|reference_samples)$';

export interface Revisions {
  /** Microseconds since the epoch, but always greater than any before. */
  readonly next: () => number;
  /** Another process wrote this one: what comes from now on is greater. */
  readonly seen: (revision: number) => void;
  /** Looks at what is stored, so that a clock that was set back does not hide what is written from now on. */
  readonly catchUp: () => Promise<void>;
}

export function createRevisions(client: StoreClient, wallClock: () => number): Revisions {
  let last = 0;
  return {
    next: () => {
      last = Math.max(wallClock() * 1_000, last + 1);
      return last;
    },
    seen: (revision) => {
      last = Math.max(last, revision);
    },
    catchUp: async () => {
      const [row] = await client.query<{ revision: number }>(
        'SELECT max(revision) AS revision FROM merge({database:String}, {tables:String})',
        { database: client.database, tables: REVISED },
      );
      last = Math.max(last, row?.revision ?? 0);
    },
  };
}
