import { createHash } from 'node:crypto';
import type { Episode } from '../domain/episode.js';
import type { EpisodeStore } from '../domain/ports.js';
import { createBatch, loadByGroup, OF_VERSIONS, PLACE_OF_VERSION, versionsOf } from './batch.js';
import type { StoreClient } from './client.js';
import { dateTime64, fromBody, toBody } from './encoding.js';
import { firstInsert } from './first-insert.js';
import type { Revisions } from './revisions.js';

type Key = Parameters<EpisodeStore['latestEpisode']>[0];

const KEYS_PER_STATEMENT = 256;

export function createEpisodeStore(
  client: StoreClient,
  revisions: Pick<Revisions, 'next' | 'seen'>,
): EpisodeStore {
  /** Of versions that are asked for with the same category. */
  async function latestOfAll(keys: readonly Key[]): Promise<(Episode | null)[]> {
    const { params, placeOf } = versionsOf(keys);
    const rows = await client.query<{ place: number; body: string }>(
      `SELECT ${PLACE_OF_VERSION} AS place, body FROM episodes FINAL
       WHERE ${OF_VERSIONS} AND category = {category:String}
       ORDER BY place, opened_at DESC, revision DESC
       LIMIT 1 BY place`,
      { ...params, category: keys[0]?.category ?? '' },
    );
    const bodies = new Map(rows.map(({ place, body }) => [place, body]));
    return keys.map((key) => {
      const body = bodies.get(placeOf(key));
      return body === undefined ? null : fromBody<Episode>(body);
    });
  }

  return {
    saveEpisode: async (episode, after) => {
      const body = toBody(episode);
      const insert = (token?: string) =>
        client.insert(
          'episodes',
          [
            {
              id: episode.id,
              model: episode.model,
              version: episode.modelVersion,
              category: episode.category,
              state: episode.state,
              opened_at: dateTime64(episode.openedAtMs),
              body,
              revision: revisions.next(),
            },
          ],
          token,
        );
      if (after === undefined) {
        await insert();
        return true;
      }
      const before = after === null ? null : toBody(after);
      if (body === before) return true;
      const digest = before === null ? 'first' : createHash('sha256').update(before).digest('hex');
      return firstInsert(`episode:${episode.id}:${digest}`, insert, async () => {
        const [row] = await client.query<{ body: string; revision: number }>(
          'SELECT body, revision FROM episodes FINAL WHERE id = {id:String}',
          { id: episode.id },
        );
        if (row === undefined) return 'nothing';
        revisions.seen(row.revision);
        const stored = toBody(fromBody<Episode>(row.body));
        if (stored === before) return 'nothing';
        return stored === body ? 'ours' : 'theirs';
      });
    },

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

    findEpisode: async ({ model, id }) => {
      const [row] = await client.query<{ body: string }>(
        'SELECT body FROM episodes FINAL WHERE id = {id:String} AND model = {model:String}',
        { model, id },
      );
      return row === undefined ? null : fromBody<Episode>(row.body);
    },

    latestEpisode: createBatch(
      (keys: readonly Key[]) => loadByGroup(keys, ({ category }) => category, latestOfAll),
      KEYS_PER_STATEMENT,
    ),
  };
}
