import { detectorRecords, type EpisodeMark, type Feedback, type FeedbackStore } from '../domain/feedback.js';
import type { EpisodeStore } from '../domain/ports.js';
import { AppError } from '../errors.js';
import { share } from '../performance/interval.js';
import { createRandom } from '../stats/random.js';
import { thompsonOrder } from '../stats/thompson.js';

/** Newest episodes that are looked at. */
const MAX_EPISODES = 10_000;

const RANKED: ReadonlySet<string> = new Set(['drift', 'outliers']);

/** What people made of a model's episodes, and what that says of its detectors. */
export function createFeedback(store: Pick<EpisodeStore, 'listEpisodes'> & FeedbackStore) {
  const episodesOf = (model: string) => store.listEpisodes({ model, limit: MAX_EPISODES });
  return {
    /** Throws not_found for an episode that the model has not. */
    async mark(mark: EpisodeMark): Promise<void> {
      if (!(await episodesOf(mark.model)).some(({ id }) => id === mark.episodeId))
        throw new AppError(
          'not_found',
          `${mark.model} has no episode ${mark.episodeId}: GET /v1/models/{model}/episodes lists them`,
        );
      await store.saveMark(mark);
    },

    /** `seed` asks for a ranking; the same seed and marks give the same one. */
    async read(model: string, seed: number | null): Promise<Feedback> {
      const [episodes, marks] = await Promise.all([episodesOf(model), store.listMarks(model)]);
      const records = detectorRecords(episodes, marks);
      const arms = records
        .filter(({ category }) => RANKED.has(category))
        .map(({ detector, category, trueEpisodes, falseEpisodes }) => ({
          detector,
          category,
          successes: trueEpisodes,
          failures: falseEpisodes,
        }));
      return {
        detectors: records.map((record) => ({
          ...record,
          precision: share(record.trueEpisodes, record.trueEpisodes + record.falseEpisodes),
        })),
        trust:
          seed === null
            ? null
            : thompsonOrder(arms, createRandom(seed)).map(({ detector, category, draw }) => ({
                detector,
                category,
                draw,
              })),
        marks,
      };
    },
  };
}
