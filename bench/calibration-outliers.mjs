// How often the isolation forest's rate test is false where days differ by themselves: the log-odds of an outlier are normal from day to
// day, and may last; a fresh reference of so many days per repetition, ten days long after it. One test, without a family's correction.
// usage: node bench/calibration-outliers.mjs [REFERENCES]   400 by default
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { importBundle, root } from './harness.mjs';
import { tableOf } from './table.mjs';

const SOURCES = `
export { fitShareSpread, outlierSharePValue } from './src/stats/outlier-share.js';
export { createNormal } from './src/stats/normal-draws.js';
export { createRandom } from './src/stats/random.js';
`;
const REFERENCES = Number(process.argv[2] ?? 400);
if (!(Number.isSafeInteger(REFERENCES) && REFERENCES > 0))
  throw new Error(`${process.argv[2]}: give a whole number of references above 0`);
const ROWS = 500;
const WINDOWS = 10;
const SHARE_ODDS = Math.log(0.01);
const LEVELS = [0.05, 0.005];
const WORLDS = [
  { sd: 0, lasting: 0, pieces: 28 },
  ...[0.8, 1.5].flatMap((sd) => [
    { sd, lasting: 0, pieces: 28 },
    { sd, lasting: 0.6, pieces: 28 },
  ]),
  { sd: 0.8, lasting: 0, pieces: 10 },
  { sd: 0.8, lasting: 0.6, pieces: 60 },
];

function daysOf({ sd, lasting }, random, normal) {
  let state = normal();
  return () => {
    const share = 1 / (1 + Math.exp(sd * sd * 0.5 - SHARE_ODDS - sd * state));
    state = lasting * state + Math.sqrt(1 - lasting ** 2) * normal();
    let flagged = 0;
    for (let row = 0; row < ROWS; row++) if (random() < share) flagged += 1;
    return { rows: ROWS, flagged };
  };
}

await mkdir(join(root, 'build'), { recursive: true });
const directory = await mkdtemp(join(root, 'build/bench-outliers-'));
try {
  const code = await importBundle(directory, 'outliers', SOURCES);
  const lines = WORLDS.map((world) => {
    const flagged = LEVELS.map(() => 0);
    for (let seed = 1; seed <= REFERENCES; seed++) {
      const random = code.createRandom(seed);
      const normal = code.createNormal(random);
      const pieces = Array.from({ length: world.pieces }, daysOf(world, random, normal));
      const rows = ROWS * world.pieces;
      const total = { rows, flagged: pieces.reduce((sum, piece) => sum + piece.flagged, 0) };
      const spread = code.fitShareSpread(pieces, total);
      for (let window = 0; window < WINDOWS; window++) {
        const pValue = code.outlierSharePValue(daysOf(world, random, normal)(), total, spread);
        LEVELS.forEach((level, i) => {
          if (pValue <= level) flagged[i] += 1;
        });
      }
    }
    const shares = flagged.map((count) => ((100 * count) / (REFERENCES * WINDOWS)).toFixed(1));
    return [String(world.sd), String(world.lasting), String(world.pieces), ...shares];
  });
  const head = ['SD of days', 'ρ', 'days', ...LEVELS.map((level) => `flagged at ${100 * level} %, %`)];
  process.stdout.write(tableOf(head, lines));
} finally {
  await rm(directory, { recursive: true, force: true });
}
