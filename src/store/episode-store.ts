import type { Episode } from '../domain/episode.js';
import type { EpisodeStore } from '../domain/ports.js';
import type { StoreClient } from './client.js';
import { dateTime64, fromBody, toBody } from './encoding.js';

export function createEpisodeStore(client: StoreClient, nextRevision: () => number): EpisodeStore {
  return {
    saveEpisode: (episode) =>
      client.insert('episodes', [
        {
          id: episode.id,
          model: episode.model,
          version: episode.modelVersion,
          category: episode.category,
          state: episode.state,
          opened_at: dateTime64(episode.openedAtMs),
          body: toBody(episode),
          revision: nextRevision(),
        },
      ]),

    listEpisodes: async ({ model, state, limit }) => {
      const rows = await client.query<{ body: string }>(
        `SELECT body FROM episodes FINAL
         WHERE ({anyModel:Bool} OR model = {model:String}) AND ({anyState:Bool} OR state = {state:String})
         ORDER BY opened_at DESC, id
         LIMIT {limit:UInt32}`,
        {
          anyModel: model === undefined,
          model: model ?? '',
          anyState: state === undefined,
          state: state ?? '',
          limit,
        },
      );
      return rows.map((row) => fromBody<Episode>(row.body));
    },

    latestEpisode: async (key) => {
      const [row] = await client.query<{ body: string }>(
        `SELECT body FROM episodes FINAL
         WHERE model = {model:String} AND version = {version:String} AND category = {category:String}
         ORDER BY opened_at DESC, revision DESC
         LIMIT 1`,
        { model: key.model, version: key.modelVersion, category: key.category },
      );
      return row === undefined ? null : fromBody<Episode>(row.body);
    },
  };
}
