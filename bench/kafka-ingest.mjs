// Kafka → queryable: the collector, writing into the embedded engine, against bare kafkajs with JSON.parse on the same topic of a
// real broker. Each side is a process of its own, timed from its first record to its last (ours: stored).
import { join } from 'node:path';
import { bundle, importBundle, root, spread, startNode, subjectOverBaseline, takeTurns } from './harness.mjs';
import { eventAt, flightLines } from './http-ingest.mjs';

/** Enough that starting and ending are a small part of it. */
const EVENTS = 1_000_000;
const PARTITIONS = 4;
const TOPIC = 'flights';

/** Flights in the order of time, dealt over the partitions as a producer does. */
async function fill(broker) {
  const flights = await flightLines();
  await broker.createTopic(TOPIC, PARTITIONS);
  const count = EVENTS / PARTITIONS;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const lines = Array.from({ length: count }, (_, index) =>
      eventAt(flights, PARTITIONS * index + partition),
    );
    await broker.produce(TOPIC, lines, { partition });
  }
}

async function measure(program, args) {
  const { code, stdout, stderr } = await startNode([program, ...args]).ended();
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr}`);
  const figures = JSON.parse(stdout);
  if ((figures.stored ?? figures.parsed) < EVENTS) throw new Error(`${program} counted ${stdout.trim()}`);
  return figures;
}

export const kafkaIngest = {
  name: 'kafka-ingest',
  title: 'Kafka → queryable, against bare kafkajs and JSON.parse',
  bar: { atLeast: 0.8 },
  rounds: 3,

  async run({ directory, log, rounds }) {
    const programs = join(directory, 'dist');
    const { startKafkaBroker } = await importBundle(
      programs,
      'kafka-broker',
      `export { startKafkaBroker } from './test/support/kafka-broker.js';`,
    );
    const reader = await bundle(programs, 'kafka-reader', `import './bench/kafka-reader.js';`);
    const service = await bundle(programs, 'kafka-service', `import './bench/kafka-service.js';`);
    process.chdir(root);
    const broker = await startKafkaBroker();
    try {
      await fill(broker);
      log(`${EVENTS} events are in the topic`);
      const microseconds = { subject: [], baseline: [] };
      const side =
        (name, program, ...more) =>
        async (round) => {
          const args = [
            broker.address,
            TOPIC,
            String(EVENTS),
            ...more.map((folder) => join(directory, `${folder}-${round}`)),
          ];
          const { seconds, cpuSeconds } = await measure(program, args);
          microseconds[name].push((cpuSeconds / EVENTS) * 1e6);
          return EVENTS / seconds;
        };
      const turns = await takeTurns({
        rounds,
        log,
        ratioOf: subjectOverBaseline,
        subject: side('subject', service, 'data'),
        baseline: side('baseline', reader),
      });
      return {
        unit: 'events/s',
        ...turns,
        notes: {
          events: EVENTS,
          partitions: PARTITIONS,
          cpuMicrosecondsPerEvent: {
            subject: spread(microseconds.subject),
            baseline: spread(microseconds.baseline),
          },
        },
      };
    } finally {
      await broker.stop();
    }
  },
};
