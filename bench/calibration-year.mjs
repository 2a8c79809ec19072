// False episodes of a simulated year at the default budget: hourly windows, two of two, references of 20,000 rows and nothing that
// ever drifts. Each reference is drawn anew and serves for a year; real detectors, levels from the budget, the service's own policy.
// usage: node bench/calibration-year.mjs [REFERENCES] [BUDGET]
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { importBundle } from './harness.mjs';

const SOURCES = `
export { measureColumns } from './src/detectors/measure-columns.js';
export { quickOutcomes } from './src/detectors/quick-judgement.js';
export { primaryFamily } from './src/detectors/primary-family.js';
export { familyModel } from './src/jobs/false-alarm-level.js';
export { createPolicyReplay } from './src/jobs/policy-replay.js';
export { decideEpisode } from './src/alerts/policy.js';
export { createEpisodeBudget } from './src/stats/episode-budget.js';
export { createNormal } from './src/stats/normal-draws.js';
export { createRandom } from './src/stats/random.js';
`;
const REFERENCES = Number(process.argv[2] ?? 20);
const BUDGET = Number(process.argv[3] ?? 1);
const REFERENCE_ROWS = 20_000;
const WINDOW_ROWS = 100;
const HOURS = 8_760;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CUT_POINTS = 200;
const CATEGORIES = 5;
const KEY = { model: 'year', modelVersion: '1' };
const RULE = { openCount: 2, openWindows: 2, closeCount: 2, cooldownMs: 0 };
const WINDOW = { lengthMs: HOUR_MS, stepMs: HOUR_MS, latenessMs: 0 };

const features = [
  ...Array.from({ length: 6 }, (_, i) => ({ name: `n${i}`, kind: 'numeric' })),
  ...Array.from({ length: 3 }, (_, i) => ({ name: `c${i}`, kind: 'categorical' })),
];
const model = { ...KEY, registeredAtMs: 0, schema: { task: 'binary', probability: false, features } };
const columns = [...features, { name: 'prediction', kind: 'categorical' }];
/** Of each third column this share is missing. */
const missingShareOf = (index) => (index % 3 === 0 ? 0.02 : 0);

/** Uniform numbers between evenly spaced cut points: the null of a rank test does not depend on the shape. */
function drawProfile({ name, kind }, index, rows, random) {
  const cells = kind === 'numeric' ? 2 * CUT_POINTS + 1 : CATEGORIES + 2;
  const counts = new Array(cells).fill(0);
  let missing = 0;
  for (let row = 0; row < rows; row++) {
    if (random() < missingShareOf(index)) missing += 1;
    else if (kind === 'numeric') counts[2 * Math.floor(random() * (CUT_POINTS + 1))] += 1;
    else counts[Math.floor(random() ** 2 * CATEGORIES)] += 1;
  }
  return {
    feature: name,
    kind,
    rows,
    missing,
    nonFinite: 0,
    mistyped: 0,
    counts,
    offsets: [],
    min: 0,
    max: 1,
  };
}

const grids = columns.map(({ name, kind }) =>
  kind === 'numeric'
    ? { kind, feature: name, cutPoints: Array.from({ length: CUT_POINTS }, (_, i) => i), quantum: 2 ** -10 }
    : {
        kind,
        feature: name,
        categories: Array.from({ length: CATEGORIES }, (_, i) => `c${i}`),
        headSize: CATEGORIES,
      },
);

await mkdir('build', { recursive: true });
const directory = await mkdtemp(join(process.cwd(), 'build/calibration-year-'));
const code = await importBundle(directory, 'year', SOURCES);
const budget = code.createEpisodeBudget();
const perReference = [];
let flagged = 0;
let level = 0;
for (let number = 0; number < REFERENCES; number++) {
  const random = code.createRandom(20_260_000 + number);
  const referenceProfiles = columns.map((column, i) => drawProfile(column, i, REFERENCE_ROWS, random));
  const reference = {
    ...KEY,
    hash: `r${number}`,
    rows: REFERENCE_ROWS,
    period: null,
    provenance: 'bench',
    createdAtMs: 0,
    nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
    forest: null,
  };
  const sides = { model, reference, grids, referenceProfiles };
  const family = code.familyModel({ window: WINDOW, policy: RULE }, code.primaryFamily(sides), {
    windowRows: WINDOW_ROWS,
    referenceRows: REFERENCE_ROWS,
  });
  level = (await budget.ratesOf(family, 0.05)).levelFor(BUDGET, 0.05);
  // No minimum effect: what chance flags is to be seen, however small; `material` would hide much of it.
  const replay = code.createPolicyReplay(KEY, RULE, HOUR_MS, code.decideEpisode);
  for (let hour = 0; hour < HOURS; hour++) {
    const currentProfiles = columns.map((column, i) => drawProfile(column, i, WINDOW_ROWS, random));
    const measured = code
      .measureColumns({ ...sides, currentProfiles }, 'primary')
      .map((candidate) => ({ ...candidate, detector: { ...candidate.detector, minimumEffect: 0 } }));
    const outcomes = code.quickOutcomes(measured, [], level);
    if (outcomes.some(({ state }) => state === 'drifted')) flagged += 1;
    replay.next({ startMs: hour * HOUR_MS, endMs: (hour + 1) * HOUR_MS }, outcomes);
  }
  perReference.push((replay.result().opened * 30 * DAY_MS) / (HOURS * HOUR_MS));
  process.stderr.write(
    `reference ${number + 1} of ${REFERENCES}: ${perReference.at(-1).toFixed(2)} per 30 days\n`,
  );
}
const mean = perReference.reduce((sum, rate) => sum + rate, 0) / REFERENCES;
const variance = perReference.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / (REFERENCES - 1);
process.stdout.write(
  `${JSON.stringify({
    references: REFERENCES,
    budget: BUDGET,
    level,
    falseEpisodesPer30Days: mean,
    standardError: Math.sqrt(variance / REFERENCES),
    least: Math.min(...perReference),
    greatest: Math.max(...perReference),
    flaggedWindows: flagged / (REFERENCES * HOURS),
  })}\n`,
);
await rm(directory, { recursive: true });
process.exitCode = mean <= BUDGET + 2 * Math.sqrt(variance / REFERENCES) ? 0 : 1;
