import { decideExtra } from '../detectors/judge-window.js';
import { judgeVolume, volumeHistory, volumeReachMs } from '../detectors/volume.js';
import type { Store, VersionKey } from '../domain/ports.js';
import { type Verdict, VOLUME } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';

/** Windows whose histories are in memory at once. */
const WINDOWS_PER_SLICE = 100;

export interface VolumeReviserDeps {
  readonly store: Pick<Store, 'listRuns' | 'listVerdicts' | 'profiledRows' | 'reviseVerdicts'>;
}

/**
 * Judges the volume of windows again whose history has other rows than when they were judged, so that it follows from what is stored and
 * not from the order in which it came. Everything else about a window depends on its own rows alone, and stays.
 */
export function createVolumeReviser({ store }: VolumeReviserDeps) {
  async function revised(key: VersionKey, windows: readonly Window[]): Promise<Verdict[]> {
    const period = {
      startMs: Math.min(...windows.map((window) => window.startMs)),
      endMs: Math.max(...windows.map((window) => window.endMs)),
    };
    const wanted = new Set(windows.map(nameOf));
    const known = (await store.listVerdicts({ ...key, window: period, detector: VOLUME })).filter((verdict) =>
      wanted.has(nameOf(verdict.window)),
    );
    const earlier = new Map(
      known.flatMap((verdict) => volumeHistory(verdict.window)).map((window) => [nameOf(window), window]),
    );
    const counted = await store.profiledRows(key, [...earlier.values()]);
    const rowsOf = new Map([...earlier.keys()].map((name, index) => [name, counted[index] ?? 0]));
    return known.flatMap((before) => {
      const { level, familySize } = before.parameters;
      // Of a release that did not tell: the window's own next judgement corrects it.
      if (typeof level !== 'number' || typeof familySize !== 'number') return [];
      const again = judgeVolume({
        model: key,
        reference: { hash: before.referenceHash },
        window: before.window,
        rows: before.currentRows,
        history: volumeHistory(before.window).map((window) => ({
          window,
          rows: rowsOf.get(nameOf(window)) ?? 0,
        })),
        level,
      });
      const verdict = decideExtra(again, { level, familySize });
      return JSON.stringify(verdict) === JSON.stringify(before) ? [] : [verdict];
    });
  }

  /**
   * @param changed windows of one length whose rows are others than at their last judgement
   * @returns the verdicts that are others now, which are stored
   */
  return async function reviseVolumes(key: VersionKey, changed: readonly Window[]): Promise<Verdict[]> {
    const [first] = changed;
    if (first === undefined) return [];
    const lengthMs = first.endMs - first.startMs;
    const reachMs = volumeReachMs(lengthMs);
    const isTouched = (window: Window) =>
      window.endMs - window.startMs === lengthMs &&
      changed.some((other) => other.startMs < window.startMs && other.endMs > window.startMs - reachMs);
    const firstMs = Math.min(...changed.map((window) => window.startMs));
    const lastMs = Math.max(...changed.map((window) => window.endMs));
    const runs = await store.listRuns(key, firstMs, lastMs + reachMs + lengthMs);
    const windows = runs.map((run) => run.window).filter(isTouched);
    const all: Verdict[] = [];
    for (let at = 0; at < windows.length; at += WINDOWS_PER_SLICE) {
      const verdicts = await revised(key, windows.slice(at, at + WINDOWS_PER_SLICE));
      if (verdicts.length > 0) await store.reviseVerdicts(verdicts);
      all.push(...verdicts);
    }
    return all;
  };
}

export type VolumeReviser = ReturnType<typeof createVolumeReviser>;

const nameOf = ({ startMs, endMs }: Window) => `${startMs}-${endMs}`;
