import type { Retraining, RetrainingStore } from '../domain/retraining.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';

export function createRetrainingStore(client: StoreClient, nextRevision: () => number): RetrainingStore {
  return {
    saveRetraining: ({ model, episodeId, modelVersion, announcedAtMs, by }) =>
      client.insert('retrainings', [
        {
          model,
          episode_id: episodeId,
          version: modelVersion,
          at: dateTime64(announcedAtMs),
          announced_by: by,
          revision: nextRevision(),
        },
      ]),

    listRetrainings: (model) =>
      client.query<Retraining>(
        `SELECT model, episode_id AS episodeId, version AS modelVersion, toUnixTimestamp64Milli(at) AS announcedAtMs, announced_by AS by
         FROM retrainings FINAL WHERE model = {model:String} ORDER BY at DESC, episode_id, version`,
        { model },
      ),
  };
}
