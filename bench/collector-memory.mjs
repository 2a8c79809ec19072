// Memory of a collector at a steady rate: `serve --roles collector` reads Kafka into a ClickHouse store in another process, so that what it takes
// is its own; the engine's library, which is loaded and does nothing, is told apart. RSS each second; start, median, greatest, and MB per minute over the second half.
// Usage: npm run bench:collector-memory -- [--minutes N] [--rate EVENTS_PER_SECOND] [--json]      (after npm run build; 10 minutes by default)
// Ends with 1 when the collector takes 300 MB or more, or grows by more than 2 MB a minute.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bundle, importBundle, registerFlights, root, startNode, startService, until } from './harness.mjs';
import { eventAt, flightLines } from './http-ingest.mjs';
import { tableOf } from './table.mjs';

const TOPIC = 'flights';
const PARTITIONS = 4;
const MOST_MB = 300;
const MOST_SLOPE = 2;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '2000' },
    json: { type: 'boolean', default: false },
  },
});
const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
if (!(minutes > 0 && Number.isSafeInteger(rate) && rate > 0))
  throw new Error('--minutes is a number above 0, --rate a whole number of events a second');

const log = (text) => process.stderr.write(`collector-memory: ${text}\n`);
/** Resident MB of a process, and those of them that are the engine's library, which a collector loads and does not use. */
async function residentMb(pid) {
  const text = await readFile(`/proc/${pid}/smaps`, 'utf8');
  let [all, library, isLibrary] = [0, 0, false];
  for (const line of text.split('\n')) {
    const kilobytes = /^Rss:\s+(\d+) kB/.exec(line)?.[1];
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isLibrary = line.includes('chdb');
    else if (kilobytes !== undefined) {
      all += Number(kilobytes) / 1024;
      if (isLibrary) library += Number(kilobytes) / 1024;
    }
  }
  return { all, library };
}

/** MB a minute by least squares, of samples [seconds, MB]. */
function slopeOf(samples) {
  const mean = (pick) => samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length;
  const [seconds, megabytes] = [mean(([at]) => at), mean(([, mb]) => mb)];
  const covered = samples.reduce((sum, [at]) => sum + (at - seconds) ** 2, 0);
  const together = samples.reduce((sum, [at, mb]) => sum + (at - seconds) * (mb - megabytes), 0);
  return (60 * together) / covered;
}

function summary(samples) {
  const order = samples.map(([, mb]) => mb).toSorted((a, b) => a - b);
  const round = (value, digits = 0) => Number(value.toFixed(digits));
  return {
    startMb: round(samples[0][1]),
    medianMb: round(order[Math.floor(order.length / 2)]),
    maxMb: round(order.at(-1)),
    slopeMbPerMinute: round(slopeOf(samples.slice(Math.floor(samples.length / 2))), 2),
  };
}

async function recordsRead(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts = [...text.matchAll(/^plumbline_kafka_records_total\{[^}]*\} (\d+)$/gm)];
  return counts.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Sends events at the rate and looks at both processes each second, until the time is up. Gives samples and how many were sent. */
async function feed(producer, flights, processes) {
  const samples = { collector: [], library: [], engine: [] };
  const startMs = performance.now();
  let sent = 0;
  for (let second = 1; second <= minutes * 60; second += 1) {
    const messages = Array.from({ length: second * rate - sent }, (_, index) => ({
      value: eventAt(flights, sent + index),
      partition: (sent + index) % PARTITIONS,
    }));
    await producer.send({ topic: TOPIC, messages });
    sent += messages.length;
    await delay(Math.max(0, startMs + second * 1_000 - performance.now()));
    const at = (performance.now() - startMs) / 1_000;
    const own = await residentMb(processes.collector.pid);
    samples.collector.push([at, own.all - own.library]);
    samples.library.push([at, own.library]);
    samples.engine.push([at, (await residentMb(processes.engine.pid)).all]);
    if (second % 60 === 0) log(`${second} s: ${Math.round(samples.collector.at(-1)[1])} MB`);
  }
  return { samples, sent, seconds: (performance.now() - startMs) / 1_000 };
}

process.chdir(root);
await mkdir(join(root, 'build'), { recursive: true });
const directory = await mkdtemp(join(root, 'build', 'bench-collector-memory-'));
const running = [];
try {
  const programs = join(directory, 'dist');
  const { startKafkaBroker } = await importBundle(
    programs,
    'kafka-broker',
    `export { startKafkaBroker } from './test/support/kafka-broker.js';`,
  );
  const bridge = await bundle(programs, 'bridge', `import './test/support/clickhouse-bridge-main.js';`);
  const broker = await startKafkaBroker();
  running.push(broker);
  await broker.createTopic(TOPIC, PARTITIONS);
  const engine = startNode([bridge, join(directory, 'engine')]);
  running.push(engine);
  const store = await until('the engine answers', 60_000, () => {
    if (engine.failed() !== null) throw new Error(engine.failed());
    const [url] = engine.stdout().split('\n');
    return engine.stdout().includes('\n') ? { url } : null;
  });
  const api = await startService(directory, 'api', { store, roles: ['api'] });
  await registerFlights(api.url);
  await api.stop();
  const collector = await startService(directory, 'collector', {
    store,
    roles: ['collector'],
    kafka: { brokers: [broker.address], predictions: [TOPIC] },
  });
  running.push(collector);
  const idle = await residentMb(collector.pid);
  const idleMb = idle.all - idle.library;
  log(`${Math.round(idleMb)} MB before the first event; ${rate} events a second for ${minutes} minutes`);

  let outcome = null;
  const flights = await flightLines();
  await broker.withProducer(async (producer) => {
    outcome = await feed(producer, flights, { collector, engine });
  });
  const { samples, sent, seconds } = outcome;
  await until('all events are stored', 120_000, async () =>
    (await recordsRead(collector.url)) >= sent ? true : null,
  );
  const figures = {
    minutes,
    seconds: Math.round(seconds),
    events: sent,
    idleMb: Math.round(idleMb),
    collector: summary(samples.collector),
    library: summary(samples.library),
    engine: summary(samples.engine),
  };
  if (values.json) process.stdout.write(`${JSON.stringify({ ...figures, samples })}\n`);
  else {
    const rows = [
      ['collector', 'collector'],
      ["the engine's library in it", 'library'],
      ['engine', 'engine'],
    ].map(([title, name]) => [title, ...Object.values(figures[name]).map(String)]);
    process.stdout.write(`${tableOf(['process', 'start MB', 'median MB', 'max MB', 'MB/min'], rows)}\n`);
    process.stdout.write(
      `${sent} events in ${figures.seconds} s, all stored; ${figures.idleMb} MB before the first\n`,
    );
  }
  const { maxMb, slopeMbPerMinute } = figures.collector;
  if (maxMb >= MOST_MB || slopeMbPerMinute > MOST_SLOPE) process.exitCode = 1;
} finally {
  for (const one of running.reverse()) await one.stop();
  await rm(directory, { recursive: true, force: true });
}
