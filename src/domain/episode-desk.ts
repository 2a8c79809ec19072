import type { Episode, PendingEpisode } from './episode.js';
import type { ActionScope, EpisodeAction } from './episode-action.js';
import type { EpisodeEvidence } from './episode-evidence.js';
import type { EpisodeStatus, HistoryEntry } from './episode-history.js';
import type { Standing } from './silence.js';

/** Who asks for something, and why. */
export interface Asked {
  readonly by: string;
  /** Id of the API key, `local` without keys. */
  readonly via: string;
  readonly note: string;
}

/** An episode as people see it. */
export interface ShownEpisode extends Episode, Standing {
  readonly status: EpisodeStatus;
  readonly sentence: string;
}

export interface EpisodeDetail extends ShownEpisode {
  readonly history: readonly HistoryEntry[];
  readonly evidence: readonly EpisodeEvidence[];
  /** Of a drift only. */
  readonly performanceSentence?: string;
}

/** What keeps a model's alarms silent now. */
export interface ModelSilence {
  readonly snoozes: readonly EpisodeAction[];
  readonly maintenance: { readonly name: string; readonly untilMs: number } | null;
}

/** Episodes as people see them, and what people do about them. */
export interface EpisodeDesk {
  /** Open ones first, the most urgent on top; then by newest. */
  list(query: {
    readonly model: string;
    readonly state?: 'open' | 'closed' | undefined;
    readonly status?: EpisodeStatus | undefined;
    readonly limit: number;
  }): Promise<ShownEpisode[]>;
  /** What may become an episode with the next windows. */
  pendingOf(model: string): Promise<PendingEpisode[]>;
  /** Throws not_found. */
  read(model: string, id: string): Promise<EpisodeDetail>;
  /** Throws not_found, or conflict for an episode that is over: what was said while it was open stays. */
  acknowledge(model: string, id: string, asked: Asked): Promise<EpisodeAction>;
  /** Throws the same. */
  unacknowledge(model: string, id: string, asked: Asked): Promise<EpisodeAction>;
  /**
   * Throws invalid_request for a wrong end, not_found, or conflict for an episode that is over.
   *
   * @param scope one open episode, a category, or a whole model
   * @param untilMs the service's clock
   */
  snooze(scope: ActionScope, untilMs: number, asked: Asked): Promise<EpisodeAction>;
  /** Also of an episode that is over: its end may be held back until then. Throws not_found. */
  unsnooze(scope: ActionScope, asked: Asked): Promise<EpisodeAction>;
  silenceOf(model: string): Promise<ModelSilence>;
  /** The service's clock, ms. */
  nowMs(): number;
}
