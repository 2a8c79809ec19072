// HTTP NDJSON ingest of the real service, in its own process on the embedded engine, against a bare express server in its own
// process that parses the lines and answers their number. One client sends the same bodies to both.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  cpuSeconds,
  cpuShare,
  registerFlights,
  root,
  spread,
  startNode,
  startService,
  subjectOverBaseline,
  takeTurns,
  until,
} from './harness.mjs';

const ROWS_PER_BODY = 5_000;
const BODIES = 20;
const IN_FLIGHT = 4;

/**
 * Bodies of real events, which time goes on in as in a service: flight after flight, and from the last one on again with other
 * ids, a quarter later. `from` counts the events of earlier turns.
 */
export function eventBodies(lines, from) {
  return Array.from({ length: BODIES }, (_, body) =>
    Buffer.from(
      Array.from({ length: ROWS_PER_BODY }, (_, row) =>
        eventAt(lines, from + body * ROWS_PER_BODY + row),
      ).join('\n'),
    ),
  );
}

/** The example's flights take a quarter. */
const QUARTER_MS = 92 * 86_400_000;
const TIMESTAMP = /"timestamp":"([^"]+)"/;

/** Event `index` of a stream of flights without end. */
export function eventAt(lines, index) {
  const round = Math.floor(index / lines.length);
  return lines[index % lines.length]
    .replace('"prediction_id":"', `"prediction_id":"${round}-`)
    .replace(
      TIMESTAMP,
      (_, time) => `"timestamp":"${new Date(Date.parse(time) + round * QUARTER_MS).toISOString()}"`,
    );
}

export async function flightLines() {
  const packed = await readFile(join(root, 'examples/flights/predictions.ndjson.gz'));
  return gunzipSync(packed).toString().trimEnd().split('\n');
}

/** Sends the bodies, a few at a time, and gives the rows per second that were answered for. */
async function send(url, bodies, expected) {
  const waiting = [...bodies];
  const before = performance.now();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
          body,
        });
        const answer = await response.json();
        if (answer[expected] !== ROWS_PER_BODY)
          throw new Error(`${url} answered ${JSON.stringify(answer).slice(0, 300)}`);
      }
    }),
  );
  return (bodies.length * ROWS_PER_BODY) / ((performance.now() - before) / 1_000);
}

async function startBare() {
  const child = startNode([join(root, 'bench/bare-express.mjs')]);
  const port = await until('the bare server listens', 20_000, async () => {
    const reason = child.failed();
    if (reason !== null) throw new Error(`the bare server did not start: ${reason}`);
    return Number(child.stdout()) || null;
  });
  return { ...child, url: `http://127.0.0.1:${port}` };
}

export const httpIngest = {
  name: 'http-ingest',
  title: 'HTTP NDJSON ingest, durable, against bare express parsing the lines',
  bar: { atLeast: 0.6 },
  rounds: 7,

  async run({ directory, log, rounds }) {
    const lines = await flightLines();
    const bare = await startBare();
    const service = await startService(directory, 'ingest', {
      // Detection has its own benchmarks; here it would run in the middle of some turns and not of others.
      jobs: { cron: '0 0 0 1 1 *' },
    });
    try {
      await registerFlights(service.url);
      // What was registered is fitted in the background, for two seconds: it is no part of any turn.
      await until('the service is at rest', 60_000, async () => (await cpuShare(service.pid)) < 0.05 || null);
      const cpu = { subject: [], baseline: [] };
      const sent = { subject: 0, baseline: 0 };
      const side = (name, child, path, expected) => async () => {
        const bodies = eventBodies(lines, sent[name]);
        sent[name] += BODIES * ROWS_PER_BODY;
        const before = await cpuSeconds(child.pid);
        const rate = await send(`${child.url}${path}`, bodies, expected);
        cpu[name].push((((await cpuSeconds(child.pid)) - before) / (BODIES * ROWS_PER_BODY)) * 1e6);
        return rate;
      };
      const subject = side('subject', service, '/v1/ingest', 'accepted');
      const baseline = side('baseline', bare, '/', 'lines');
      // Both compile on their first turn.
      await subject();
      await baseline();
      cpu.subject.length = 0;
      cpu.baseline.length = 0;
      const turns = await takeTurns({ rounds, log, ratioOf: subjectOverBaseline, subject, baseline });
      return {
        unit: 'rows/s',
        ...turns,
        notes: {
          rowsPerTurn: BODIES * ROWS_PER_BODY,
          rowsPerBody: ROWS_PER_BODY,
          bodiesInFlight: IN_FLIGHT,
          cpuMicrosecondsPerRow: { subject: spread(cpu.subject), baseline: spread(cpu.baseline) },
        },
      };
    } finally {
      await service.stop();
      await bare.stop();
    }
  },
};
