import type { Task } from '../../src/domain/model.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { standardNormal } from './columns.js';

/** A labelled stream that stays as it is. */
export interface World {
  readonly name: string;
  readonly task: Task;
  readonly windowMs: number;
  /** Labelled rows of a window. */
  readonly rows: number;
  /** Window-long pieces of the reference. */
  readonly pieces: number;
  /** Whether the reference has times, so that its pieces tell how windows differ. */
  readonly timed: boolean;
  /** Windows that each reference judges. */
  readonly windows: number;
  /** Standard deviation of the windows' own states, and how much of a state lasts into the next. */
  readonly stateSd: number;
  readonly lasting: number;
  /** One row's label and answer; the state makes the window harder or easier. */
  readonly draw: (random: () => number, state: number) => Row;
}

export interface Row {
  readonly label: number;
  readonly prediction: number;
  /** Of a classifier only. */
  readonly score: number;
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x));

/** Calibrated scores: the log-odds of a row are normal, its label falls by them; the state turns some labels against the score. */
const classifier =
  (logOdds: number, spread: number): World['draw'] =>
  (random, state) => {
    const score = logistic(logOdds + spread * standardNormal(random));
    const label = random() < logistic(Math.log(score / (1 - score)) * (1 - state)) ? 1 : 0;
    return { label, prediction: score >= 0.5 ? 1 : 0, score };
  };

const regression =
  (error: (random: () => number) => number): World['draw'] =>
  (random, state) => ({ label: error(random) * Math.exp(state), prediction: 0, score: 0 });

const daily = { windowMs: DAY_MS, pieces: 30, timed: true, windows: 360, stateSd: 0, lasting: 0 } as const;
const hourly = { ...daily, windowMs: HOUR_MS, pieces: 720, windows: 2_160 } as const;
const binary = { ...daily, task: 'binary', draw: classifier(-1, 1.2) } as const;
const numeric = { ...daily, task: 'regression' } as const;
const gauss = regression(standardNormal);
const lognormal = regression((random) => Math.exp(1.5 * standardNormal(random)));
/** Student's t with three degrees of freedom: a variance, and no more. */
const heavy = regression((random) => {
  const chi = standardNormal(random) ** 2 + standardNormal(random) ** 2 + standardNormal(random) ** 2;
  return standardNormal(random) / Math.sqrt(chi / 3);
});

export const WORLDS: readonly World[] = [
  { name: 'binary, 1,000 rows a day', ...binary, rows: 1_000 },
  { name: 'binary, 100 rows a day', ...binary, rows: 100 },
  { name: 'binary, 20 rows a day', ...binary, rows: 20 },
  { name: 'binary, reference without times, 100 rows a day', ...binary, rows: 100, timed: false },
  { name: 'binary, reference of 10 days, 100 rows a day', ...binary, rows: 100, pieces: 10 },
  { name: 'binary, 100 rows an hour', ...binary, ...hourly, rows: 100 },
  { name: 'skewed: 2 % positive, 1,000 rows a day', ...binary, draw: classifier(-5, 1.5), rows: 1_000 },
  { name: 'skewed: 2 % positive, 200 rows a day', ...binary, draw: classifier(-5, 1.5), rows: 200 },
  {
    name: 'skewed: 2 % positive, no times, 200 rows a day',
    ...binary,
    draw: classifier(-5, 1.5),
    rows: 200,
    timed: false,
  },
  {
    name: 'skewed: 2 % positive, 100 rows an hour',
    ...binary,
    ...hourly,
    draw: classifier(-5, 1.5),
    rows: 100,
  },
  { name: 'nearly perfect (AUC 0.99), 200 rows a day', ...binary, draw: classifier(0, 12), rows: 200 },
  {
    name: 'nearly perfect (AUC 0.99), no times, 200 rows a day',
    ...binary,
    draw: classifier(0, 12),
    rows: 200,
    timed: false,
  },
  { name: 'regression, normal errors, 200 rows a day', ...numeric, draw: gauss, rows: 200 },
  { name: 'regression, normal errors, 20 rows a day', ...numeric, draw: gauss, rows: 20 },
  { name: 'regression, lognormal errors, 200 rows a day', ...numeric, draw: lognormal, rows: 200 },
  { name: 'regression, errors of t(3), 200 rows a day', ...numeric, draw: heavy, rows: 200 },
  {
    name: 'regression, lognormal errors, no times, 20 rows a day',
    ...numeric,
    draw: lognormal,
    rows: 20,
    timed: false,
  },
  { name: 'days of their own, binary, 1,000 rows', ...binary, rows: 1_000, stateSd: 0.25 },
  {
    name: 'days of their own, 10 pieces, binary, 1,000 rows',
    ...binary,
    rows: 1_000,
    stateSd: 0.25,
    pieces: 10,
  },
  { name: 'days of their own, regression, 200 rows', ...numeric, draw: gauss, rows: 200, stateSd: 0.2 },
  {
    name: 'days that last, ρ = 0.6, binary, 1,000 rows',
    ...binary,
    rows: 1_000,
    stateSd: 0.25,
    lasting: 0.6,
  },
  {
    name: 'days that last, ρ = 0.6, regression, 200 rows',
    ...numeric,
    draw: gauss,
    rows: 200,
    stateSd: 0.2,
    lasting: 0.6,
  },
];
