import type { Episode, PerformanceMove } from '../domain/episode.js';
import type { EpisodeCategory } from '../domain/verdict.js';

/** Name and summary by category: those of `prometheus/rules/plumbline.yml`, so that both ways lead to the same alert. */
export const EPISODE_ALERTS: Readonly<
  Record<EpisodeCategory, { readonly name: string; readonly summary: string; readonly what: string }>
> = {
  drift: {
    name: 'PlumblineDrift',
    summary: "A model's inputs or predictions have drifted from its training baseline.",
    what: 'drift',
  },
  dataQuality: {
    name: 'PlumblineDataQuality',
    summary: 'A model receives broken data, with missing or unseen values beyond its training baseline.',
    what: 'data quality',
  },
  performance: {
    name: 'PlumblinePerformance',
    summary: 'A model has become worse than it was on its reference.',
    what: 'performance',
  },
  outliers: {
    name: 'PlumblineOutliers',
    summary: "More rows than usual are unlike the model's training data.",
    what: 'outlier',
  },
  service: {
    name: 'PlumblineLatency',
    summary: 'A model answers more slowly than it did at its baseline.',
    what: 'service',
  },
};

/** An alert as Alertmanager's API v2 takes it; times as RFC 3339. */
export interface PostableAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

/** Of an alert, what stays the same while it fires. */
export type EpisodeAlert = Omit<PostableAlert, 'startsAt' | 'endsAt'> & { readonly startsAtMs: number };

export interface AlertLinks {
  /** Base of the links to pages, without a slash at the end. */
  readonly publicUrl: string;
  /** Where `docs/runbooks` is published; left out where nobody said. */
  readonly runbooksUrl?: string | undefined;
}

const MOVED: Readonly<Record<PerformanceMove['moved'], string | undefined>> = {
  moved: 'Performance moved with it.',
  not_moved: 'Performance did not move with it.',
  cannot_tell: undefined,
};

/** @param route who is to be told: the label of that name */
export function alertOf(
  episode: Episode,
  route: string,
  { publicUrl, runbooksUrl }: AlertLinks,
): EpisodeAlert {
  const { model, modelVersion, category, severity } = episode;
  const { name, summary, what } = EPISODE_ALERTS[category];
  const page = `${publicUrl}/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(modelVersion)}`;
  const [why] = episode.why ?? [];
  const sentences = [
    `${model} version ${modelVersion} has an open ${what} episode (${severity}).`,
    why,
    episode.performance === undefined ? undefined : MOVED[episode.performance.moved],
  ];
  return {
    labels: { alertname: name, model, model_version: modelVersion, severity, route },
    annotations: {
      summary,
      description: sentences.filter((sentence) => sentence !== undefined).join(' '),
      page_url: page,
      ...(runbooksUrl === undefined ? {} : { runbook_url: `${runbooksUrl}/${name}.md` }),
    },
    startsAtMs: episode.openedAtMs,
    generatorURL: page,
  };
}
