import type { Segment } from './segment.js';
import type { EpisodeCategory } from './verdict.js';

/** What one budget of false episodes means for a model version. */
export interface TunedBudget {
  /** False episodes per 30 days; null where the policy sets the level itself. */
  readonly falseEpisodesPer30Days: number | null;
  /** Whether this is the policy in force. */
  readonly configured: boolean;
  /** Probability that a drift-free window has any flag. */
  readonly level: number;
  /** Expected false episodes per 30 days at that level, in total and by category: at most the budget. */
  readonly expected: number;
  readonly byCategory: Readonly<Partial<Record<EpisodeCategory, number>>>;
}

/** What one test shows in a window of usual size, for each budget in turn. */
export interface TunedTest {
  /** Empty for tests of whole rows. */
  readonly feature: string;
  /** The rows that it is about; all of a window's when left out. */
  readonly segment?: Segment;
  readonly detector: string;
  readonly category: EpisodeCategory;
  readonly role: 'primary' | 'descriptive';
  readonly minimumEffect: number;
  /** Why it would not decide such a window; null where it would. */
  readonly undecided: string | null;
  readonly budgets: readonly {
    /** The statistic from which a window is drifted; null where none would do. */
    readonly threshold: number | null;
    readonly smallestVisibleEffect: number | null;
    /** The effect from which a window counts for an episode: visible and material. */
    readonly alarmsFrom: number | null;
  }[];
}

export interface Tuning {
  readonly model: string;
  readonly modelVersion: string;
  readonly referenceHash: string;
  readonly referenceRows: number;
  /** Median rows of the last four weeks' windows; of a piece of the reference where none was judged. */
  readonly windowRows: number;
  /** Rows below which a window decides nothing, by the policy in force. */
  readonly minimumRows: number;
  readonly windowMs: number;
  readonly stepMs: number;
  /** Tests that an ordinary window could decide, those of segments among them. */
  readonly tests: Readonly<Partial<Record<EpisodeCategory, number>>>;
  readonly budgets: readonly TunedBudget[];
  readonly columns: readonly TunedTest[];
}
