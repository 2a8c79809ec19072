import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { startKafkaBroker } from '../test/support/kafka-broker.js';

interface Figures {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const PARTITIONS = 4;
const TOPIC = 'flights';

/** Prints a line per round and, as JSON, the ratios of the medians. */
export async function run(options: { directory: string; events: number; rounds: number }): Promise<void> {
  const { directory, events, rounds } = options;
  const broker = await startKafkaBroker();
  try {
    const flights = gunzipSync(readFileSync('examples/flights/predictions.ndjson.gz'))
      .toString('utf8')
      .trimEnd()
      .split('\n');
    await broker.createTopic(TOPIC, PARTITIONS);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const count =
        Math.floor((events * (partition + 1)) / PARTITIONS) - Math.floor((events * partition) / PARTITIONS);
      // Flights again and again, each time with other ids.
      const lines = Array.from({ length: count }, (_, i) =>
        (flights[i % flights.length] ?? '').replace(
          '"prediction_id":"',
          `"prediction_id":"${partition}-${i}-`,
        ),
      );
      await broker.produce(TOPIC, lines, { partition });
    }
    const measure = async (program: string, ...args: string[]): Promise<Figures> => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        join(directory, program),
        broker.address,
        TOPIC,
        String(events),
        ...args,
      ]);
      process.stderr.write(`${program} ${stdout}`);
      return JSON.parse(stdout);
    };
    const bare: Figures[] = [];
    const service: Figures[] = [];
    for (let round = 0; round < rounds; round += 1) {
      bare.push(await measure('kafka-reader.mjs'));
      service.push(await measure('kafka-service.mjs', join(directory, `data-${round}`)));
    }
    const median = (values: readonly number[]) =>
      [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
    const rate = (figures: readonly Figures[], of: keyof Figures) =>
      Math.round(events / median(figures.map((figure) => figure[of])));
    const report = (of: keyof Figures) => ({
      bare: rate(bare, of),
      service: rate(service, of),
      ratio: Number((rate(service, of) / rate(bare, of)).toFixed(3)),
    });
    // Events per CPU second hardly depend on what else the machine does, but count the engine's threads in full.
    const result = { events, rounds, perSecond: report('seconds'), perCpuSecond: report('cpuSeconds') };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } finally {
    await broker.stop();
  }
}
