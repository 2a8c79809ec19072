import type { Episode } from './episode.js';
import { type ActionKind, type EpisodeAction, hasHappened } from './episode-action.js';
import type { Standing } from './silence.js';

/** Pending: drifted windows, but not enough of them yet. Acknowledged: open, and somebody looks after it. */
export const EPISODE_STATUSES = ['pending', 'open', 'acknowledged', 'resolved'] as const;
export type EpisodeStatus = (typeof EPISODE_STATUSES)[number];

/** One step in the life of an episode. */
export interface HistoryEntry {
  readonly kind: 'pending' | 'opened' | 'resolved' | ActionKind;
  /** The service's clock, ms. */
  readonly atMs: number;
  readonly by: string;
  readonly note: string;
  /** End of a snooze; null for everything else. */
  readonly untilMs: number | null;
  /** Whether it was about this episode alone, its category, or the whole model. */
  readonly scope: 'episode' | 'category' | 'model';
}

export function episodeStatus(
  { state }: Pick<Episode, 'state'>,
  { acknowledgement }: Pick<Standing, 'acknowledgement'>,
): EpisodeStatus {
  if (state === 'closed') return 'resolved';
  return acknowledgement === null ? 'open' : 'acknowledged';
}

const ORDER: readonly HistoryEntry['kind'][] = ['pending', 'opened'];

/** From the first drifted window to the end, oldest first. Snoozes of its category or model count from its pending on. */
export function episodeHistory(episode: Episode, actions: readonly EpisodeAction[]): HistoryEntry[] {
  const { id, model, category, openedAtMs, closedAtMs } = episode;
  const own = (kind: HistoryEntry['kind'], atMs: number, note = ''): HistoryEntry => ({
    kind,
    atMs,
    by: 'service',
    note,
    untilMs: null,
    scope: 'episode',
  });
  const pendingAtMs = Math.min(episode.pendingAtMs ?? openedAtMs, openedAtMs);
  const told = actions.filter(
    (action) =>
      action.model === model &&
      hasHappened(action, episode) &&
      (action.episodeId === id ||
        (action.episodeId === null &&
          (action.category === null || action.category === category) &&
          (action.untilMs ?? action.atMs) >= pendingAtMs &&
          action.atMs <= (closedAtMs ?? Number.POSITIVE_INFINITY))),
  );
  const entries = [
    own('pending', pendingAtMs),
    own('opened', openedAtMs),
    ...told.map(
      ({ kind, atMs, by, note, untilMs, episodeId, category: of }): HistoryEntry => ({
        kind,
        atMs,
        by,
        note,
        untilMs,
        scope: episodeId !== null ? 'episode' : of === null ? 'model' : 'category',
      }),
    ),
    ...(closedAtMs === null ? [] : [own('resolved', closedAtMs)]),
  ];
  const rank = ({ kind }: HistoryEntry) => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
  return entries
    .map((entry, i) => ({ entry, i }))
    .sort((a, b) => a.entry.atMs - b.entry.atMs || rank(a.entry) - rank(b.entry) || a.i - b.i)
    .map(({ entry }) => entry);
}
