// How often windows are flagged where rows, days or weeks are alike, with a fresh reference per repetition: share of windows with
// any primary flag at a level of 5 %, by world and number of pieces, with the reference's own null and with independent rows.
// usage: npm run bench:calibration-dependence -- [--references N] [--rows N] [--pieces LIST] [--worlds TEXT] [--seed N] [--json]
//   --references  fresh references per cell, each with ten windows; 200 by default
//   --rows        rows of a piece and of a window; 200 by default
//   --pieces      numbers of pieces; 10,14,28,60 by default
//   --worlds      only worlds whose name holds this text
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { importBundle, root } from './harness.mjs';

const { values } = parseArgs({
  options: {
    references: { type: 'string', default: '200' },
    rows: { type: 'string', default: '200' },
    pieces: { type: 'string', default: '10,14,28,60' },
    worlds: { type: 'string', default: '' },
    seed: { type: 'string', default: '20261124' },
    json: { type: 'boolean', default: false },
  },
});
function wholeNumber(name, text) {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value > 0))
    throw new Error(`--${name} ${text}: give whole numbers above 0`);
  return value;
}
const references = wholeNumber('references', values.references);
const rows = wholeNumber('rows', values.rows);
const pieces = values.pieces.split(',').map((text) => wholeNumber('pieces', text));
const seed = wholeNumber('seed', values.seed);

await mkdir(join(root, 'build'), { recursive: true });
const directory = await mkdtemp(join(root, 'build/bench-dependence-'));
try {
  const { WORLDS, runDependence } = await importBundle(
    directory,
    'dependence',
    `export * from './bench/calibration/dependence.js';`,
  );
  const cells = [];
  for (const world of WORLDS.filter(({ name }) => name.includes(values.worlds)))
    for (const count of pieces) {
      const results = Array.from({ length: references }, (_, i) =>
        runDependence(world, count, rows, seed + i),
      );
      const windows = results.reduce((sum, each) => sum + each.windows, 0);
      const shareOf = (figure) => results.reduce((sum, each) => sum + Number(each[figure]), 0);
      const temporal = shareOf('temporal') / windows;
      // Windows share their reference: the error is that of the references' means.
      const variance = results.reduce(
        (sum, each) => sum + (each.temporal / each.windows - temporal) ** 2 / references,
        0,
      );
      cells.push({
        world: world.name,
        pieces: count,
        rows,
        temporal,
        error: Math.sqrt(variance / references),
        iid: shareOf('iid') / windows,
        trended: shareOf('trended') / references,
      });
      process.stderr.write(`${JSON.stringify(cells.at(-1))}\n`);
    }
  if (values.json) process.stdout.write(`${JSON.stringify({ references, rows, seed, cells })}\n`);
  else {
    const percent = (share) => (100 * share).toFixed(1);
    const lines = [
      `| any flag, % of windows | independent rows' null | ${pieces.map((count) => `${count} pieces`).join(' | ')} | told to move |`,
      `| --- | --- |${' --- |'.repeat(pieces.length)} --- |`,
    ];
    for (const name of new Set(cells.map(({ world }) => world))) {
      const own = cells.filter(({ world }) => world === name);
      const last = own.at(-1);
      const figures = own.map(({ temporal, error }) => `${percent(temporal)} ± ${percent(error)}`);
      lines.push(`| ${name} | ${percent(last.iid)} | ${figures.join(' | ')} | ${percent(last.trended)} |`);
    }
    process.stdout.write(`${lines.join('\n')}\n`);
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
