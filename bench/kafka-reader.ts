// The baseline: `node … ADDRESS TOPIC EVENTS` reads the topic with kafkajs as it comes and parses each value.
import { Kafka, logLevel } from 'kafkajs';

const [address = '', topic = '', events = ''] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: `bare-${process.pid}`, maxWaitTimeInMs: 100 });
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
let left = Number(events);
let startMs = 0;
let startCpu = process.cpuUsage();
let parsed = 0;
await new Promise<void>((resolve, reject) => {
  consumer
    .run({
      eachBatch: async ({ batch }) => {
        if (startMs === 0) {
          startMs = performance.now();
          startCpu = process.cpuUsage();
        }
        for (const { value } of batch.messages) {
          if (typeof JSON.parse(value?.toString() ?? '') === 'object') parsed += 1;
        }
        left -= batch.messages.length;
        if (left <= 0) resolve();
      },
    })
    .catch(reject);
});
const seconds = (performance.now() - startMs) / 1_000;
const { user, system } = process.cpuUsage(startCpu);
process.stdout.write(`${JSON.stringify({ parsed, seconds, cpuSeconds: (user + system) / 1e6 })}\n`);
await consumer.disconnect();
