import type { StatsStore } from '../domain/ports.js';
import type { StoreClient } from './client.js';

interface TotalsRow {
  readonly predictions: number;
  readonly labels: number;
  readonly labelsMatched: number;
  readonly rejected: number;
}

export function createStatsStore(client: StoreClient): StatsStore {
  return {
    /** `labelsMatched` counts label rows whose prediction is stored. */
    totals: async () => {
      const [row] = await client.query<TotalsRow>(
        `SELECT (SELECT count() FROM predictions) AS predictions,
                (SELECT count() FROM labels) AS labels,
                (SELECT count() FROM labels WHERE identity IN (SELECT identity FROM predictions)) AS labelsMatched,
                (SELECT count() FROM rejected) AS rejected`,
      );
      return row ?? { predictions: 0, labels: 0, labelsMatched: 0, rejected: 0 };
    },
  };
}
