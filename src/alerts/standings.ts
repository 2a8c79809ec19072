import type { Clock } from '../domain/clock.js';
import type { Episode } from '../domain/episode.js';
import {
  ANNOUNCED,
  type Announced,
  type EpisodeAction,
  type EpisodeActionStore,
  heldOf,
  standingOf,
} from '../domain/episode-action.js';
import type { MaintenanceWindow } from '../domain/maintenance.js';
import type { EpisodeStore } from '../domain/ports.js';
import type { Standing } from '../domain/silence.js';

/** Far more than anybody could look after. */
export const MAX_OPEN_EPISODES = 1_000;

export interface StandingsOptions {
  readonly store: Pick<EpisodeStore, 'listEpisodes'> & Omit<EpisodeActionStore, 'listActions'>;
  readonly maintenanceOf: (model: string) => readonly MaintenanceWindow[];
  readonly clock: Clock;
}

/** What people have asked for, as it was at the last `refresh`, and what was held back because of it. All of it is in the store. */
export function createStandings({ store, maintenanceOf, clock }: StandingsOptions) {
  let known: EpisodeAction[] = [];
  let started = 0;
  let applied = 0;
  /** What is written down while somebody reads, reader by reader: they may not have seen it. */
  const meanwhile = new Set<EpisodeAction[]>();

  return {
    /** Reads what people asked for meanwhile; returns the open episodes. */
    async refresh(): Promise<Episode[]> {
      const open = await store.listEpisodes({ state: 'open', limit: MAX_OPEN_EPISODES });
      started += 1;
      const own = started;
      const missed: EpisodeAction[] = [];
      meanwhile.add(missed);
      const read = await store.currentActions().finally(() => meanwhile.delete(missed));
      // Models are followed side by side: what was read earlier is not newer.
      if (own > applied) {
        applied = own;
        known = [...read, ...missed];
      }
      return open;
    },

    of: (episode: Episode): Standing =>
      standingOf(episode, known, { maintenance: maintenanceOf(episode.model), nowMs: clock.now() }),

    /** Whether this announcement of an episode is held back. */
    holds: (episodeId: string, what: Announced): boolean => heldOf(episodeId, known).has(what),

    /** All announcements that are held back, in the order of the episodes' lives. */
    held(): { readonly model: string; readonly episodeId: string; readonly what: Announced }[] {
      const ids = new Map(
        known.flatMap(({ episodeId, model }) => (episodeId === null ? [] : [[episodeId, model]])),
      );
      return [...ids].flatMap(([episodeId, model]) => {
        const held = heldOf(episodeId, known);
        return ANNOUNCED.filter((what) => held.has(what)).map((what) => ({ model, episodeId, what }));
      });
    },

    /**
     * Writes down what the service did about an episode; writing the same again changes nothing that anybody sees.
     *
     * @param about what of it, or the window: part of the id
     */
    async record(
      { id, model, category }: Pick<Episode, 'id' | 'model' | 'category'>,
      kind: 'severity_raised' | 'held' | 'released',
      about: string,
      note = '',
    ): Promise<void> {
      const action: EpisodeAction = {
        model,
        id: `${id}:${kind}:${about}`,
        category,
        episodeId: id,
        kind,
        by: 'service',
        via: '',
        note,
        atMs: clock.now(),
        untilMs: null,
      };
      // What comes after it must stay after it, whoever judges the window again.
      const once = kind === 'severity_raised';
      await store.saveAction(action, once);
      if (once && known.some((other) => other.id === action.id && other.model === model)) return;
      known.push(action);
      for (const missed of meanwhile) missed.push(action);
    },
  };
}

export type Standings = ReturnType<typeof createStandings>;
