import { countOpenings, type OpeningRule } from './count-openings.js';
import { criticalStatistic } from './invert.js';
import { createMeanChiSquare, createNormal, createOverlapping } from './normal-draws.js';
import { createRandom } from './random.js';
import { fSf, normalHalfWidth, normalSf } from './special.js';
import { createTailLibrary, firstFrom, type TailLibrary } from './tail-library.js';

/** What one model version's windows and policy are like when nothing drifts. */
export interface FamilyModel {
  /** Tests in each category that can open an episode; their sum is the corrected family. */
  readonly tests: readonly number[];
  /** Share of a comparison's variance that comes from the reference, n/(n + m): what all windows have in common. */
  readonly sharedVariance: number;
  /** Windows that share rows: window length over step, at least 1. */
  readonly overlap: number;
  /** Degrees of freedom of the scale that the temporal null estimates from the reference's pieces; infinite for independent rows. */
  readonly scaleDegrees: number;
  /** Windows judged in 30 days. */
  readonly windowsPer30Days: number;
  readonly rule: OpeningRule;
}

export interface EpisodeRates {
  /** Expected false episodes in 30 days at a per-window level, by category, on average over references. */
  byCategory(level: number): number[];
  /** Their sum. */
  total(level: number): number;
  /** The greatest level with two digits, at most `most`, at which the total stays within the budget. */
  levelFor(budget: number, most: number): number;
}

/** Levels above this are not simulated. */
export const LARGEST_LEVEL = 0.5;
const SEED = 20_130_101;
/** References drawn, each with windows of its own. */
const REFERENCES = 2_000;
const REFERENCES_PER_TURN = 50;
/** Where 30 days hold only a few windows, a reference is followed for longer. */
const LEAST_WINDOWS = 120;
/** Far enough out to be rare, near enough for nearly every test's threshold. */
const LIBRARY_FLOOR = 2;
/** Draws of one simulation at most, so that a model with thousands of tests takes no longer. */
const MOST_TEST_DRAWS = 1_000_000;

/** A simulated row of windows: the flags of one category under one reference, by window, with the p-value over its share. */
interface Flags {
  readonly category: number;
  readonly windows: Int32Array;
  /** The window's least p-value times the number of tests: flagged at every level from here on. */
  readonly levels: Float64Array;
}

export interface EpisodeBudgetOptions {
  /** Called every few milliseconds of a simulation, to let others have their turn. */
  readonly pause?: () => Promise<void>;
}

/**
 * Simulates drift-free windows that are all compared with the same reference, and counts the episodes that a rule opens.
 *
 * Of each test the reference's error is drawn once (weight `sharedVariance`), as is the scale that a temporal null has estimated from
 * few pieces; the windows' own errors overlap as the windows do. A window is flagged where a two-sided test's p-value is at most
 * level/tests. Tests are independent of one another, which flags windows most often at a given level. Gaussian two-sided tests
 * cluster more than D, X² or a permuted statistic do, so the rates err on the high side (figures: docs/calibration.md).
 *
 * Deterministic: the same inputs give the same rates on every machine. Simulations are kept by their inputs.
 */
export function createEpisodeBudget({ pause = async () => undefined }: EpisodeBudgetOptions = {}) {
  const libraries = new Map<number, Promise<TailLibrary>>();
  const simulations = new Map<string, Promise<EpisodeRates>>();

  function libraryOf(overlap: number): Promise<TailLibrary> {
    const known = libraries.get(overlap);
    if (known !== undefined) return known;
    const library = createTailLibrary(overlap, LIBRARY_FLOOR, SEED + overlap, pause);
    libraries.set(overlap, library);
    return library;
  }

  return {
    /**
     * @param family as it is; the shared variance is rounded up, and the degrees of freedom down, to few digits, so that a level does
     *   not change with every row
     * @param largestLevel the greatest level that will be asked for
     */
    ratesOf(family: FamilyModel, largestLevel: number): Promise<EpisodeRates> {
      check(family, largestLevel);
      const rounded = {
        ...family,
        sharedVariance: roundUp(family.sharedVariance),
        scaleDegrees: Number.isFinite(family.scaleDegrees) ? Math.max(1, Math.floor(family.scaleDegrees)) : 0,
      };
      const key = JSON.stringify([rounded, largestLevel]);
      let rates = simulations.get(key);
      if (rates === undefined) {
        rates = libraryOf(family.overlap).then((library) => simulate(rounded, largestLevel, library, pause));
        simulations.set(key, rates);
      }
      return rates;
    },
  };
}

export type EpisodeBudget = ReturnType<typeof createEpisodeBudget>;

function check(family: FamilyModel, largestLevel: number): void {
  const { tests, sharedVariance, overlap, scaleDegrees, windowsPer30Days } = family;
  if (!tests.every((count) => Number.isSafeInteger(count) && count >= 0))
    throw new RangeError(`tests are ${tests}: they must be whole numbers from 0`);
  if (!(sharedVariance >= 0 && sharedVariance < 1))
    throw new RangeError(`the shared variance is ${sharedVariance}: it must lie in [0, 1)`);
  if (!(Number.isSafeInteger(overlap) && overlap >= 1))
    throw new RangeError(`the overlap is ${overlap}: it must be a whole number from 1`);
  if (!(scaleDegrees > 0))
    throw new RangeError(`the scale's degrees are ${scaleDegrees}: they must be above 0`);
  if (!(windowsPer30Days > 0)) throw new RangeError(`windows per 30 days are ${windowsPer30Days}: too few`);
  if (!(largestLevel > 0 && largestLevel <= LARGEST_LEVEL))
    throw new RangeError(`the largest level is ${largestLevel}: it must lie in (0, ${LARGEST_LEVEL}]`);
}

/** Up to the next power of √2 below 1, so that the cache hits and the rate errs on the high side. */
function roundUp(share: number): number {
  if (share === 0) return 0;
  return Math.min(2 ** (Math.ceil(Math.log2(share) * 2) / 2), (1 + share) / 2);
}

async function simulate(
  family: Omit<FamilyModel, 'scaleDegrees'> & { readonly scaleDegrees: number },
  largestLevel: number,
  library: TailLibrary,
  pause: () => Promise<void>,
): Promise<EpisodeRates> {
  const { tests, rule, windowsPer30Days } = family;
  const size = tests.reduce((all, count) => all + count, 0);
  const horizon = Math.max(LEAST_WINDOWS, Math.round(windowsPer30Days));
  const references = Math.min(REFERENCES, Math.max(200, Math.floor(MOST_TEST_DRAWS / Math.max(1, size))));
  const sizes = { size, horizon, references, largestLevel };
  const rows = size === 0 ? [] : await drawFlags(family, sizes, library, pause);
  const perMonth = windowsPer30Days / (horizon * references);
  const flagged = new Int32Array(horizon);
  const chosen = new Map<string, number>();

  function byCategory(level: number): number[] {
    if (!(level > 0 && level <= largestLevel))
      throw new RangeError(`level ${level} was not simulated: at most ${largestLevel}`);
    const openings = tests.map(() => 0);
    for (const { category, windows, levels } of rows) {
      let count = 0;
      for (let i = 0; i < windows.length; i++)
        if ((levels[i] ?? 1) <= level) {
          flagged[count] = windows[i] ?? 0;
          count += 1;
        }
      if (count >= rule.openCount)
        openings[category] = (openings[category] ?? 0) + countOpenings(flagged, count, rule);
    }
    return openings.map((count) => count * perMonth);
  }
  const total = (level: number) => byCategory(level).reduce((all, rate) => all + rate, 0);

  return {
    byCategory,
    total,
    levelFor(budget, most) {
      // Many versions are alike, and each count goes through all that was drawn.
      const name = `${budget} ${most}`;
      const known = chosen.get(name);
      if (known !== undefined) return known;
      const levels = twoDigitLevels(Math.min(most, largestLevel));
      let low = 0;
      let high = levels.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (total(levels[middle] ?? 1) <= budget) low = middle;
        else high = middle - 1;
      }
      const level = levels[low] ?? 0;
      chosen.set(name, level);
      return level;
    },
  };
}

/** 1.0e-6, 1.1e-6, … up to `most`. */
function twoDigitLevels(most: number): number[] {
  const levels: number[] = [];
  for (let exponent = -6; exponent < 0; exponent++)
    for (let digits = 10; digits < 100; digits++) {
      const level = Number(`${digits / 10}e${exponent}`);
      if (level <= most) levels.push(level);
    }
  return levels;
}

async function drawFlags(
  family: Omit<FamilyModel, 'scaleDegrees'> & { readonly scaleDegrees: number },
  sizes: { size: number; horizon: number; references: number; largestLevel: number },
  library: TailLibrary,
  pause: () => Promise<void>,
): Promise<Flags[]> {
  const { size, horizon, references, largestLevel } = sizes;
  const random = createRandom(SEED);
  const normal = createNormal(random);
  const { sharedVariance, scaleDegrees } = family;
  const scale = scaleDegrees === 0 ? () => 1 : createMeanChiSquare(random, normal, scaleDegrees);
  const pValueOf =
    scaleDegrees === 0 ? (u: number) => 2 * normalSf(u) : (u: number) => fSf(u * u, 1, scaleDegrees);
  const threshold =
    scaleDegrees === 0
      ? normalHalfWidth(1 - largestLevel / size)
      : (criticalStatistic(pValueOf, 1e6, largestLevel / size) ?? 1e6);
  const ownWeight = Math.sqrt(1 - sharedVariance);
  const flags: Flags[] = [];
  const least = new Map<number, number>();

  for (let reference = 0; reference < references; reference++) {
    if (reference % REFERENCES_PER_TURN === 0) await pause();
    for (const [category, tests] of family.tests.entries()) {
      least.clear();
      for (let test = 0; test < tests; test++) {
        const shift = Math.sqrt(sharedVariance) * normal();
        const spread = Math.sqrt(scale());
        const keep = (window: number, own: number) => {
          const u = Math.abs(ownWeight * own + shift) / spread;
          if (u < threshold) return;
          const level = pValueOf(u) * size;
          if (level < (least.get(window) ?? Number.POSITIVE_INFINITY)) least.set(window, level);
        };
        const bound = (threshold * spread - Math.abs(shift)) / ownWeight;
        if (bound >= library.floor) lookUp(library, random, horizon, keep);
        else drawAll(createOverlapping(normal, family.overlap), horizon, keep);
      }
      if (least.size === 0) continue;
      const windows = Int32Array.from(least.keys()).sort();
      flags.push({
        category,
        windows,
        levels: Float64Array.from(windows, (window) => least.get(window) ?? 1),
      });
    }
  }
  return flags;
}

/** The far values of a stretch of the library that starts anywhere. */
function lookUp(
  library: TailLibrary,
  random: () => number,
  horizon: number,
  keep: (window: number, own: number) => void,
): void {
  const start = Math.floor(random() * (library.windows - horizon));
  for (let i = firstFrom(library, start); i < library.positions.length; i++) {
    const window = (library.positions[i] ?? 0) - start;
    if (window >= horizon) return;
    keep(window, library.values[i] ?? 0);
  }
}

function drawAll(next: () => number, horizon: number, keep: (window: number, own: number) => void): void {
  for (let window = 0; window < horizon; window++) keep(window, next());
}
