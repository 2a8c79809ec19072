// The delivery fault suite, for long: every failpoint again and again, and random kills, on a real broker and the real engine.
// Usage: npm run soak -- [--rounds N] [--kills N] [--only TEXT] [--minutes N] [--lanes N] [--seed N] [--fresh] [--json]
//        npm run soak -- --outage MINUTES [--json]
//        npm run soak -- --storm MINUTES [--json]
// 10 runs of each scenario and 50 random kills within 30 minutes by default. What was done is kept in build/soak-SEED.ndjson, so that the
// next call goes on; --fresh begins anew. Ends with 1 when an offset was lost or stored twice, with 2 when a run could not be carried out.
// --outage takes the store, and then the brokers, away from the built service for so long instead, and looks at it meanwhile.
// --storm lets a member go and another one join every five seconds for so long, four minutes at least, while one sleeps for 90 s.
import { execFile } from 'node:child_process';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { build } from 'esbuild';
import { root } from './harness.mjs';
import { tableOf } from './table.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    kills: { type: 'string', default: '50' },
    only: { type: 'string', default: '' },
    minutes: { type: 'string', default: '30' },
    lanes: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    outage: { type: 'string' },
    storm: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const number = (name, least) => {
  const value = Number(values[name]);
  if (!(Number.isSafeInteger(value) && value >= least))
    throw new Error(`--${name} is a whole number of at least ${least}, not ${values[name]}`);
  return value;
};
const [rounds, kills, minutes] = [number('rounds', 0), number('kills', 0), number('minutes', 1)];
const [lanes, seed] = [number('lanes', 1), number('seed', 1)];

process.chdir(root);
const directory = join(root, 'build', 'soak');
await mkdir(directory, { recursive: true });
await cp(join(root, 'src/store/migrations'), join(directory, 'migrations'), { recursive: true });
const load = async (name) => {
  const outfile = join(directory, `${name}.mjs`);
  await build({
    entryPoints: [join(root, `test/support/${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
};

if (values.outage !== undefined) {
  const outageMinutes = number('outage', 1);
  await promisify(execFile)(process.execPath, [join(root, 'scripts/build.mjs')]);
  const { sitOut } = await load('delivery-away');
  const reports = [];
  for (const away of ['store', 'brokers'])
    reports.push(await sitOut(away, outageMinutes, (text) => process.stderr.write(`soak: ${text}\n`)));
  process.stdout.write(`${values.json ? JSON.stringify(reports) : reports.map(outageText).join('\n')}\n`);
  process.exit(reports.some(({ violations: found }) => found.length > 0) ? 1 : 0);
}

if (values.storm !== undefined) {
  const stormMinutes = number('storm', 4);
  const { rideOutStorm } = await load('delivery-storm');
  const report = await rideOutStorm(stormMinutes, (text) => process.stderr.write(`soak: ${text}\n`));
  process.stdout.write(`${values.json ? JSON.stringify(report) : stormText(report)}\n`);
  process.exit(report.violations.length > 0 ? 1 : 0);
}

const stateFile = join(root, 'build', `soak-${seed}.ndjson`);
if (values.fresh) await rm(stateFile, { force: true });

let stopped = false;
process.once('SIGINT', () => {
  process.stderr.write('soak: ends with the runs under way; once more to end at once\n');
  stopped = true;
});
const startMs = performance.now();
const { soak } = await load('delivery-soak');
const report = await soak({
  rounds,
  kills,
  only: values.only,
  lanes,
  minutes,
  seed,
  stateFile,
  stopped: () => stopped,
  progress: (text) => process.stderr.write(`soak: ${text}\n`),
});
const seconds = Math.round((performance.now() - startMs) / 1_000);
const of = (name) => report.scenarios.flatMap((scenario) => scenario[name]);
const violated = of('violations');
const unverified = of('unverified');

if (values.json) process.stdout.write(`${JSON.stringify({ ...report, seed, seconds })}\n`);
else {
  const lines = report.scenarios.map((scenario) =>
    [
      scenario.name,
      scenario.runs,
      scenario.struck,
      scenario.redone,
      scenario.violations.length,
      scenario.unverified.length,
    ].map(String),
  );
  const head = ['scenario', 'runs', 'struck', 'ranges repeated', 'violations', 'unverified'];
  process.stdout.write(`${tableOf(head, lines)}\n`);
  for (const [window, count] of Object.entries(report.windows).sort())
    process.stdout.write(`random kills ${window}: ${count}\n`);
  for (const text of [...violated, ...unverified]) process.stdout.write(`${text}\n`);
  process.stdout.write(`${seconds} s in this call, ${report.left} runs left\n`);
}
if (violated.length > 0) process.exitCode = 1;
else if (unverified.length > 0) process.exitCode = 2;

function outageText(report) {
  const [early, late, after] = report.rssMb;
  return [
    `${report.away} away for ${report.minutes} min, ${report.records} records:`,
    `  not ready after ${report.notReadyAfterSeconds} s (${report.reason})`,
    `  ready again ${report.readyAgainAfterSeconds} s after the end, caught up after ${report.caughtUpAfterSeconds} s`,
    `  resident at least ${early} MB in the first half, ${late} MB in the second, ${after} MB afterwards`,
    ...report.violations.map((text) => `  WRONG: ${text}`),
    ...(report.violations.length === 0 ? ['  every offset once'] : []),
  ].join('\n');
}

function stormText(report) {
  return [
    `${report.blows} members went within ${report.minutes} min, ${report.redone} ranges repeated`,
    `  committed in each minute: ${report.committed.join(', ')}`,
    ...report.violations.map((text) => `  WRONG: ${text}`),
    ...(report.violations.length === 0 ? ['  every offset once'] : []),
  ].join('\n');
}
