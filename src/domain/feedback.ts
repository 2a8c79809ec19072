import type { Episode } from './episode.js';
import type { Figure } from './performance-figures.js';
import type { EpisodeCategory } from './verdict.js';

/** What somebody says of an episode: that something really was wrong (true), or that nothing was (false). */
export interface EpisodeMark {
  readonly model: string;
  readonly episodeId: string;
  /** Null takes an earlier mark back. */
  readonly mark: 'true' | 'false' | null;
  readonly note: string;
  readonly atMs: number;
}

export interface FeedbackStore {
  /** Replaces the episode's earlier mark. */
  saveMark(mark: EpisodeMark): Promise<void>;
  /** Marks of a model's episodes that stand, newest first. */
  listMarks(model: string): Promise<EpisodeMark[]>;
}

/** How a detector's alarms turned out, over the episodes that it drove. */
export interface DetectorRecord {
  readonly category: EpisodeCategory;
  readonly detector: string;
  readonly trueEpisodes: number;
  readonly falseEpisodes: number;
  readonly unmarked: number;
}

/** What people made of a model's episodes, and what that says of its detectors. */
export interface Feedback {
  readonly detectors: readonly (DetectorRecord & {
    /** Share of true ones among the marked, with Wilson's interval; null while none is marked. */
    readonly precision: Figure | null;
  })[];
  /**
   * Which detectors to trust, most trusted first, by one draw (Thompson sampling); null unless a seed was given. Only where silence
   * can be afforded: data quality, performance and the service itself are always heard.
   */
  readonly trust:
    | readonly { readonly detector: string; readonly category: string; readonly draw: number }[]
    | null;
  readonly marks: readonly EpisodeMark[];
}

/** Counts each episode once for each detector among its drivers. Ordered by category, then name. */
export function detectorRecords(
  episodes: readonly Pick<Episode, 'id' | 'category' | 'drivers'>[],
  marks: readonly Pick<EpisodeMark, 'episodeId' | 'mark'>[],
): DetectorRecord[] {
  const markOf = new Map(marks.map(({ episodeId, mark }) => [episodeId, mark]));
  const records = new Map<string, DetectorRecord>();
  for (const { id, category, drivers } of episodes)
    for (const detector of new Set(drivers.map((driver) => driver.detector))) {
      const key = `${category} ${detector}`;
      const known = records.get(key) ?? {
        category,
        detector,
        trueEpisodes: 0,
        falseEpisodes: 0,
        unmarked: 0,
      };
      const mark = markOf.get(id) ?? null;
      records.set(key, {
        ...known,
        trueEpisodes: known.trueEpisodes + (mark === 'true' ? 1 : 0),
        falseEpisodes: known.falseEpisodes + (mark === 'false' ? 1 : 0),
        unmarked: known.unmarked + (mark === null ? 1 : 0),
      });
    }
  return [...records].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
}
