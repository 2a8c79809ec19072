// Processor time of judging one column with every detector, thresholds and intervals included, from profiles in memory.
// usage: node bench/detector-cost.mjs [ROUNDS]
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { importBundle } from './harness.mjs';

const SOURCES = `
export { fitNullModel } from './src/detectors/null-model.js';
export { judgeWindow } from './src/detectors/judge-window.js';
export { mergeProfiles } from './src/detectors/merge-profiles.js';
export { createRandom } from './src/stats/random.js';
`;
const ROUNDS = Number(process.argv[2] ?? 30);
const PIECES = 30;
const WINDOWS = 20;
const KEY = { model: 'cost', modelVersion: '1' };

await mkdir('build', { recursive: true });
const directory = await mkdtemp(join(process.cwd(), 'build/detector-cost-'));
const { fitNullModel, judgeWindow, mergeProfiles, createRandom } = await importBundle(
  directory,
  'detector-cost',
  SOURCES,
);
const random = createRandom(7);

const numericGrid = {
  model: KEY.model,
  feature: 'x',
  kind: 'numeric',
  quantum: 1,
  cutPoints: Array.from({ length: 1_000 }, (_, i) => i),
};
const categoricalGrid = (size) => ({
  model: KEY.model,
  feature: 'x',
  kind: 'categorical',
  categories: Array.from({ length: size }, (_, i) => `c${i}`),
  headSize: size,
});

/** Cells of 1, 1/2, 1/3, … of the rows. */
function zipf(size) {
  let sum = 0;
  const upTo = Array.from({ length: size }, (_, i) => {
    sum += 1 / (i + 1);
    return sum;
  });
  return () => {
    const at = random() * sum;
    return upTo.findIndex((limit) => at < limit);
  };
}

function profileOf(grid, rows, cellOf) {
  const cells = grid.kind === 'numeric' ? 2 * grid.cutPoints.length + 1 : grid.headSize + 2;
  const counts = new Array(cells).fill(0);
  for (let row = 0; row < rows; row++) counts[cellOf()]++;
  const offsets = grid.kind === 'numeric' ? new Array(cells).fill(0) : [];
  const none = { missing: 0, nonFinite: 0, mistyped: 0 };
  return { feature: 'x', kind: grid.kind, counts, offsets, rows, min: 0, max: 999, ...none };
}

function measure({ grid, cellOf, kind, rows }) {
  const pieces = Array.from({ length: PIECES }, (_, day) => ({
    window: { startMs: day, endMs: day + 1 },
    profiles: [profileOf(grid, rows, cellOf)],
  }));
  const reference = mergeProfiles(pieces.flatMap((piece) => piece.profiles));
  const nullModel =
    kind === 'iid' ? { kind, pieceMs: 0, spreads: [] } : fitNullModel({ grids: [grid], pieces, pieceMs: 1 });
  const schema = { task: null, probability: false, features: [{ name: 'x', kind: grid.kind }] };
  const windows = Array.from({ length: WINDOWS }, () => profileOf(grid, rows, cellOf));
  const judge = (current) =>
    judgeWindow({
      model: { ...KEY, registeredAtMs: 0, schema },
      reference: { ...KEY, hash: 'h', nullModel, forest: null },
      window: { startMs: 0, endMs: 1 },
      grids: [grid],
      referenceProfiles: [reference],
      currentProfiles: [current],
      level: 0.05,
    });
  for (let warm = 0; warm < 3; warm++) windows.forEach(judge);
  const times = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage().user;
    windows.forEach(judge);
    return (process.cpuUsage().user - before) / 1_000 / windows.length;
  }).sort((a, b) => a - b);
  return { least: times[0], median: times[Math.floor(times.length / 2)] };
}

try {
  for (const [name, grid, cellOf] of [
    ['numeric, 1,000 cut points', numericGrid, () => 1 + 2 * Math.floor(random() * 1_000)],
    ['5 categories', categoricalGrid(5), zipf(5)],
    ['1,000 categories', categoricalGrid(1_000), zipf(1_000)],
  ])
    for (const kind of ['iid', 'temporal'])
      for (const rows of [200, 2_000]) {
        const { least, median } = measure({ grid, cellOf, kind, rows });
        process.stdout.write(
          `${name}, ${kind}, ${rows} rows: least ${least.toFixed(2)} ms, median ${median.toFixed(2)} ms\n`,
        );
      }
} finally {
  await rm(directory, { recursive: true });
}
