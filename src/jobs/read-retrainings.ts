import { type Cure, judgeCure, type RetrainedWindow } from '../domain/cure.js';
import type { Episode, EpisodeDriver, Policy } from '../domain/episode.js';
import { profiledColumns } from '../domain/model.js';
import type { RunRecord, Store } from '../domain/ports.js';
import type { JudgedRetraining, Retraining } from '../domain/retraining.js';
import { segmentId } from '../domain/segment.js';
import type { Verdict } from '../domain/verdict.js';
import { END_OF_TIME_MS } from '../domain/window.js';

const MAX_EPISODES = 10_000;
/** Windows whose verdicts are read together: mostly the first ones decide. */
const WINDOWS_READ = 50;
/** A version that has not been told by then is not told by reading on. */
const MAX_WINDOWS = 1_000;
const VERDICT_LIMIT = 10_000;

export interface RetrainingReaderDeps {
  readonly store: Pick<
    Store,
    'listEpisodes' | 'listRetrainings' | 'listModels' | 'listRuns' | 'listVerdicts' | 'currentReference'
  >;
  readonly policyFor: (model: string) => Policy & { readonly stepMs: number };
}

const sameWindow = (a: RunRecord['window'], b: RunRecord['window']) =>
  a.startMs === b.startMs && a.endMs === b.endMs;

/** Which versions were trained for a model's episodes, and whether each cured its episode. */
export function createRetrainingReader({ store, policyFor }: RetrainingReaderDeps) {
  /** The primary verdicts about the drivers' columns, by window. */
  async function windowsOf(
    key: { model: string; modelVersion: string },
    drivers: readonly EpisodeDriver[],
    runs: readonly RunRecord[],
  ): Promise<RetrainedWindow[]> {
    const [first, last] = [runs[0], runs.at(-1)];
    if (first === undefined || last === undefined) return [];
    const asked = new Map(
      drivers.map(({ feature, segment }) => [
        JSON.stringify([feature, segment === undefined ? '' : segmentId(segment)]),
        { feature, ...(segment === undefined ? {} : { segment }) },
      ]),
    );
    const verdicts: Verdict[] = [];
    for (const column of asked.values())
      verdicts.push(
        ...(await store.listVerdicts({
          ...key,
          ...column,
          window: { startMs: first.window.startMs, endMs: last.window.endMs },
          role: 'primary',
          limit: VERDICT_LIMIT,
        })),
      );
    return runs.map(({ window }) => ({
      window,
      verdicts: verdicts.filter((verdict) => sameWindow(verdict.window, window)),
    }));
  }

  async function cureOf({ model, modelVersion }: Retraining, episode: Episode): Promise<Cure> {
    const key = { model, modelVersion };
    const version = (await store.listModels()).find(
      (known) => known.model === model && known.modelVersion === modelVersion,
    );
    const columns = new Set(
      version === undefined ? [] : profiledColumns(version.schema).map(({ name }) => name),
    );
    const openedMs = episode.openedBy.endMs;
    const runs = (await store.listRuns(key, openedMs, END_OF_TIME_MS))
      .filter(({ window }) => window.startMs >= openedMs)
      .slice(0, MAX_WINDOWS);
    const base = {
      episode,
      columns,
      hasReference: runs.length > 0 || (await store.currentReference(key)) !== null,
      policy: policyFor(model),
    };
    const windows: RetrainedWindow[] = [];
    for (let from = 0; from < runs.length; from += WINDOWS_READ) {
      windows.push(...(await windowsOf(key, episode.drivers, runs.slice(from, from + WINDOWS_READ))));
      const cure = judgeCure({ ...base, windows });
      if (cure.verdict !== 'cannot_tell') return cure;
    }
    return judgeCure({ ...base, windows });
  }

  /**
   * @param of only those of this version, or about its episodes; all of the model when left out
   * @returns newest first
   */
  return async function read(model: string, of?: string): Promise<JudgedRetraining[]> {
    const retrainings = await store.listRetrainings(model);
    if (retrainings.length === 0) return [];
    const episodes = new Map(
      (await store.listEpisodes({ model, limit: MAX_EPISODES })).map((episode) => [episode.id, episode]),
    );
    const judged: JudgedRetraining[] = [];
    for (const retraining of retrainings) {
      const episode = episodes.get(retraining.episodeId);
      if (episode === undefined) continue;
      if (of !== undefined && of !== retraining.modelVersion && of !== episode.modelVersion) continue;
      judged.push({ ...retraining, episode, cure: await cureOf(retraining, episode) });
    }
    return judged;
  };
}

export type RetrainingReader = ReturnType<typeof createRetrainingReader>;
