import type { Episode } from './episode.js';
import { type MaintenanceWindow, maintenanceAt } from './maintenance.js';
import { AWAKE, type Silence, type Standing } from './silence.js';
import type { EpisodeCategory } from './verdict.js';

/**
 * What happened to an episode besides its windows: people's doing (`acknowledged`, `snoozed` and their ends), and the service's: its severity
 * rose; an announcement was `held` while nobody was to be told, and `released` afterwards.
 */
export const ACTION_KINDS = [
  'acknowledged',
  'unacknowledged',
  'snoozed',
  'unsnoozed',
  'severity_raised',
  'held',
  'released',
] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

/** What it is about: one episode, all of a category, or, with neither, all of the model. */
export interface ActionScope {
  readonly model: string;
  readonly category: EpisodeCategory | null;
  readonly episodeId: string | null;
}

export interface EpisodeAction extends ActionScope {
  /** Of the service's own, a hash of what it is about: a re-run yields the same. */
  readonly id: string;
  readonly kind: ActionKind;
  /** Who did it, in the words of the request; `service` for what the service did. */
  readonly by: string;
  /** Id of the API key that it came with, `local` without keys; empty for what the service did. */
  readonly via: string;
  readonly note: string;
  /** The service's clock, ms. */
  readonly atMs: number;
  /** End of a snooze; null for everything else. */
  readonly untilMs: number | null;
}

export interface EpisodeActionStore {
  /**
   * Replaces the one of the same model and id.
   *
   * @param once the one that is stored already stays, and its place among the others with it
   */
  saveAction(action: EpisodeAction, once?: boolean): Promise<void>;
  /** Of a model, in the order in which they were written. */
  listActions(model: string): Promise<EpisodeAction[]>;
  /** Of all models: those about open episodes, about whole models and categories, and about episodes with something held back. */
  currentActions(): Promise<EpisodeAction[]>;
}

const isAbout = (action: ActionScope, { model, category, id }: Pick<Episode, 'model' | 'category' | 'id'>) =>
  action.model === model &&
  (action.episodeId === null || action.episodeId === id) &&
  (action.category === null || action.category === category);

/** An episode that has become critical stays that. */
export const hasHappened = ({ kind }: Pick<EpisodeAction, 'kind'>, { severity }: Pick<Episode, 'severity'>) =>
  kind !== 'severity_raised' || severity === 'critical';

const scopeOf = ({ model, category, episodeId }: ActionScope) =>
  // An episode has one category, named or not.
  JSON.stringify([model, episodeId === null ? category : null, episodeId]);

/** The snoozes that are not over, the newest of each scope. */
export function activeSnoozes(actions: readonly EpisodeAction[], nowMs: number): EpisodeAction[] {
  const latest = new Map<string, EpisodeAction>();
  for (const action of actions)
    if (action.kind === 'snoozed' || action.kind === 'unsnoozed') latest.set(scopeOf(action), action);
  return [...latest.values()].filter(({ kind, untilMs }) => kind === 'snoozed' && (untilMs ?? 0) > nowMs);
}

/** The announcements of an episode that are held back: of its opening, of its end. */
export function heldOf(episodeId: string, actions: readonly EpisodeAction[]): ReadonlySet<Announced> {
  const held = new Set<Announced>();
  for (const action of actions)
    for (const what of ANNOUNCED)
      if (action.episodeId === episodeId && action.id.endsWith(`:${what}`)) {
        if (action.kind === 'held') held.add(what);
        if (action.kind === 'released') held.delete(what);
      }
  return held;
}

export const ANNOUNCED = ['opened', 'resolved'] as const;
export type Announced = (typeof ANNOUNCED)[number];

/**
 * How people stand to an episode: silent while a snooze of it, its category or its model, or a maintenance window, lasts; acknowledged until
 * that is taken back, or until it gets worse.
 * That it does is written down before the episode is saved: nothing comes of it where that never happened.
 *
 * @param actions in the order in which they were written; those about others are passed over
 */
export function standingOf(
  episode: Pick<Episode, 'model' | 'category' | 'id' | 'severity'>,
  actions: readonly EpisodeAction[],
  { maintenance, nowMs }: { readonly maintenance: readonly MaintenanceWindow[]; readonly nowMs: number },
): Standing {
  const own = actions.filter((action) => isAbout(action, episode));
  const planned = maintenanceAt(maintenance, nowMs);
  const silences: Silence[] = activeSnoozes(own, nowMs).map(({ untilMs, by, note, ...about }) => ({
    reason: 'snoozed',
    scope: about.episodeId !== null ? 'episode' : about.category !== null ? 'category' : 'model',
    untilMs: untilMs ?? 0,
    by,
    note,
  }));
  if (planned !== null)
    silences.push({
      reason: 'maintenance',
      scope: 'model',
      untilMs: planned.untilMs,
      by: '',
      note: planned.name,
    });
  silences.sort((a, b) => b.untilMs - a.untilMs);
  const last = own.findLast(
    (action) =>
      action.episodeId !== null &&
      ['acknowledged', 'unacknowledged', 'severity_raised'].includes(action.kind) &&
      hasHappened(action, episode),
  );
  const acknowledgement =
    last?.kind === 'acknowledged' ? { by: last.by, note: last.note, atMs: last.atMs } : null;
  const silence = silences[0] ?? null;
  return silence === null && acknowledgement === null ? AWAKE : { silence, acknowledgement };
}
