import type { EpisodeMark, FeedbackStore } from '../domain/feedback.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';

export function createFeedbackStore(client: StoreClient, nextRevision: () => number): FeedbackStore {
  return {
    saveMark: ({ model, episodeId, mark, note, atMs }) =>
      client.insert('episode_marks', [
        {
          model,
          episode_id: episodeId,
          mark: mark ?? '',
          note,
          at: dateTime64(atMs),
          revision: nextRevision(),
        },
      ]),

    listMarks: (model) =>
      client.query<EpisodeMark>(
        `SELECT model, episode_id AS episodeId, mark, note, toUnixTimestamp64Milli(at) AS atMs FROM episode_marks FINAL
         WHERE model = {model:String} AND mark != '' ORDER BY at DESC, episode_id`,
        { model },
      ),
  };
}
