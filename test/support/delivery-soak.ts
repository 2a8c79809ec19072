import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createRandom } from '../../src/stats/random.js';
import { killAtRandom } from './delivery-random.js';
import { startDeliveryRig } from './delivery-rig.js';
import type { Outcome, Round } from './delivery-scenarios.js';
import { SOAKED } from './delivery-table.js';
import { inLanes } from './lanes.js';

export interface SoakOptions {
  /** Runs of each scenario. */
  readonly rounds: number;
  /** Part of the names of the scenarios that are run; all when empty. */
  readonly only: string;
  /** Random kills, in runs of five. */
  readonly kills: number;
  /** Runs at once. */
  readonly lanes: number;
  /** No run is begun after this long. */
  readonly minutes: number;
  readonly seed: number;
  /** A line of JSON for each finished run: a run that is there is not repeated. */
  readonly stateFile: string;
  /** Whether to begin no more runs. */
  readonly stopped: () => boolean;
  readonly progress: (text: string) => void;
}

export interface SoakScenario {
  readonly name: string;
  readonly runs: number;
  /** Processes killed, stopped or cut off. */
  readonly struck: number;
  readonly redone: number;
  readonly violations: readonly string[];
  /** Runs that could not be carried out: they prove nothing. */
  readonly unverified: readonly string[];
}

export interface SoakReport {
  readonly scenarios: readonly SoakScenario[];
  /** Runs that there was no time for. */
  readonly left: number;
  /** Where random kills fell. */
  readonly windows: Readonly<Record<string, number>>;
}

interface Run {
  readonly name: string;
  readonly scenario: string;
  readonly work: (round: Round) => Promise<Outcome>;
  readonly round: number;
}

interface Finished {
  readonly name: string;
  readonly seed: number;
  readonly outcome?: Outcome;
  readonly error?: string;
}

const KILLS_PER_RUN = 5;

function runsOf({ rounds, kills }: Pick<SoakOptions, 'rounds' | 'kills'>): Run[] {
  const runs: Run[] = [];
  // Round by round, so that a soak cut short has tried everything some times.
  for (let round = 1; round <= rounds; round += 1)
    for (const { name, run } of SOAKED)
      runs.push({ name: `${name.replaceAll(' ', '-')}-${round}`, scenario: name, work: run, round });
  for (let begin = 0, round = 1; begin < kills; begin += KILLS_PER_RUN, round += 1) {
    const kind = round % 2 === 1 ? 'http' : 'embedded';
    const options = { kills: Math.min(KILLS_PER_RUN, kills - begin), records: 6_000 };
    const run: Run = {
      name: `random-kills-${kind}-${round}`,
      scenario: `${kind} random kills`,
      work: (given) => killAtRandom(given, kind, options),
      round,
    };
    // Between the others: two for each round of them.
    runs.splice(Math.min(runs.length, Math.ceil(round / 2) * SOAKED.length + round - 1), 0, run);
  }
  return runs;
}

function finishedIn(stateFile: string, seed: number): Finished[] {
  if (!existsSync(stateFile)) return [];
  return readFileSync(stateFile, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line): Finished => JSON.parse(line))
    .filter((run) => run.seed === seed);
}

/** Runs every scenario so many times, and tells of the runs of this soak and of those it resumes. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { seed, stateFile, progress, lanes } = options;
  const all = runsOf(options);
  const runs = all.filter(({ scenario }) => scenario.includes(options.only));
  if (runs.length === 0 && all.length > 0)
    throw new Error(`no scenario is called anything like ${options.only}`);
  const wanted = new Set(runs.map(({ name }) => name));
  const finished = finishedIn(stateFile, seed).filter(
    ({ name, outcome }) => wanted.has(name) && outcome !== undefined,
  );
  const before = new Set(finished.map(({ name }) => name));
  const due = runs.filter(({ name }) => !before.has(name));
  if (before.size > 0) progress(`${before.size} runs were done before`);
  if (due.length > 0) {
    const rig = await startDeliveryRig();
    const deadline = performance.now() + options.minutes * 60_000;
    try {
      await inLanes(lanes, due, async ({ name, work, round }) => {
        if (performance.now() > deadline || options.stopped()) return;
        const random = createRandom(seed * 1_000_003 + all.findIndex((run) => run.name === name));
        let run: Finished;
        try {
          run = { name, seed, outcome: await work({ rig, name, round, random }) };
        } catch (error) {
          run = { name, seed, error: error instanceof Error ? error.message : String(error) };
        }
        finished.push(run);
        appendFileSync(stateFile, `${JSON.stringify(run)}\n`);
        const word = run.outcome === undefined ? 'UNVERIFIED' : verdictOf(run.outcome);
        progress(`${finished.length} of ${runs.length}: ${name} ${word}`);
      });
    } finally {
      await rig.stop();
    }
  }
  return reportOf(runs, finished);
}

const verdictOf = ({ violations }: Outcome) => (violations.length === 0 ? 'ok' : 'VIOLATED');

function reportOf(runs: readonly Run[], finished: readonly Finished[]): SoakReport {
  const byName = new Map(finished.map((run) => [run.name, run]));
  const names = [...new Set(runs.map(({ scenario }) => scenario))];
  const windows: Record<string, number> = {};
  const scenarios = names.map((scenario): SoakScenario => {
    const own = runs.flatMap((run) => (run.scenario === scenario ? (byName.get(run.name) ?? []) : []));
    const outcomes = own.flatMap(({ outcome }) => outcome ?? []);
    const struck = outcomes.flatMap((outcome) => outcome.struck);
    if (scenario.endsWith('random kills'))
      for (const window of struck) windows[window] = (windows[window] ?? 0) + 1;
    return {
      name: scenario,
      runs: outcomes.length,
      struck: struck.length,
      redone: outcomes.reduce((total, outcome) => total + outcome.redone, 0),
      violations: own.flatMap(({ name, outcome }) =>
        (outcome?.violations ?? []).map((text) => `${name}: ${text}`),
      ),
      unverified: own.flatMap(({ name, error }) => (error === undefined ? [] : [`${name}: ${error}`])),
    };
  });
  return { scenarios, left: runs.length - byName.size, windows };
}
