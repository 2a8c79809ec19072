import type { Episode } from '../domain/episode.js';
import type { VersionKey } from '../domain/ports.js';
import { AWAKE, SILENCE_REASONS, type Standing } from '../domain/silence.js';
import type { EpisodeCategory } from '../domain/verdict.js';
import type { Metrics } from '../metrics.js';
import { cutLabel } from './cut-label.js';

const SEVERITIES: readonly Episode['severity'][] = ['warning', 'critical'];
const MOVED_VALUE = { moved: 1, not_moved: 0, cannot_tell: -1 } as const;

export interface EpisodeGaugesOptions {
  readonly metrics: Pick<
    Metrics,
    'episodeOpen' | 'episodeWhy' | 'episodeSilenced' | 'episodeAcknowledged' | 'episodePerformanceMoved'
  >;
  /** Where alerts of a model's category go: the label `route`. */
  readonly routeOf: (model: string, category: EpisodeCategory) => string;
}

interface Shown {
  readonly labels: { readonly model: string; readonly model_version: string; readonly category: string };
  route: string;
  episode: Episode | null;
  standing: Standing;
  why: string | null;
}

/** The gauges of one version's episodes, category by category; of a category nobody has judged yet there is none. */
export function createEpisodeGauges({ metrics, routeOf }: EpisodeGaugesOptions) {
  const { episodeOpen, episodeWhy, episodeSilenced, episodeAcknowledged, episodePerformanceMoved } = metrics;

  return function ofVersion({ model, modelVersion }: VersionKey) {
    const categories = new Map<EpisodeCategory, Shown>();

    function hideOpen({ labels, route }: Shown): void {
      for (const severity of SEVERITIES) episodeOpen.remove({ ...labels, severity, route });
    }

    /** A label's value may hold commas: it is the last of its labels by name, so no two series are one. */
    function showReason(shown: Shown): void {
      const sentence = shown.episode?.why?.[0];
      const why = sentence === undefined ? null : cutLabel(sentence);
      if (shown.why === why) return;
      if (shown.why !== null) episodeWhy.remove({ ...shown.labels, why: shown.why });
      if (why !== null) episodeWhy.set({ ...shown.labels, why }, 1);
      shown.why = why;
    }

    /** What is said of an open episode has no series while none is open. */
    function showStanding({ labels, episode, standing }: Shown): void {
      for (const reason of SILENCE_REASONS)
        if (episode === null) episodeSilenced.remove({ ...labels, reason });
        else episodeSilenced.set({ ...labels, reason }, standing.silence?.reason === reason ? 1 : 0);
      if (episode === null) episodeAcknowledged.remove(labels);
      else episodeAcknowledged.set(labels, standing.acknowledgement === null ? 0 : 1);
      if (episode?.performance === undefined) episodePerformanceMoved.remove(labels);
      else episodePerformanceMoved.set(labels, MOVED_VALUE[episode.performance.moved]);
    }

    function show(category: EpisodeCategory, shown: Shown): void {
      const route = routeOf(model, category);
      if (route !== shown.route) hideOpen(shown);
      shown.route = route;
      // Before the episode itself: a scrape in between must not page for what is silent.
      showStanding(shown);
      for (const severity of SEVERITIES)
        episodeOpen.set({ ...shown.labels, severity, route }, shown.episode?.severity === severity ? 1 : 0);
      showReason(shown);
    }

    function shownOf(category: EpisodeCategory): Shown {
      const known = categories.get(category);
      if (known !== undefined) return known;
      const labels = { model, model_version: modelVersion, category };
      const fresh = { labels, route: routeOf(model, category), episode: null, standing: AWAKE, why: null };
      categories.set(category, fresh);
      return fresh;
    }

    return {
      /** From now on a category that is judged has its series, at 0 while nothing is open. */
      judged(category: EpisodeCategory): void {
        show(category, shownOf(category));
      },
      set(episode: Episode, standing: Standing): void {
        const shown = shownOf(episode.category);
        if (episode.state === 'open') {
          shown.episode = episode;
          shown.standing = standing;
        } else if (shown.episode?.id === episode.id) shown.episode = null;
        show(episode.category, shown);
      },
      /** Closes those that are shown as open and not among these. */
      retain(open: ReadonlySet<string>): void {
        for (const [category, shown] of categories)
          if (shown.episode !== null && !open.has(shown.episode.id)) {
            shown.episode = null;
            show(category, shown);
          }
      },
      remove(): void {
        for (const shown of categories.values()) {
          hideOpen(shown);
          shown.episode = null;
          showStanding(shown);
          showReason(shown);
        }
        categories.clear();
      },
    };
  };
}

export type EpisodeGauges = ReturnType<typeof createEpisodeGauges>;
