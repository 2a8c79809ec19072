// The worker thread's program: runs one task after the other. Bundled by itself into dist/worker.mjs.
import { parentPort } from 'node:worker_threads';
import { buffersIn } from './buffers.js';
import type { Answer, Order } from './messages.js';
import { perform } from './tasks.js';

if (parentPort === null) throw new TypeError('this program runs in a worker thread: see pool.ts');
const port = parentPort;

function answerTo({ name, input }: Order): Answer {
  try {
    return { ok: true, output: perform(name, input) };
  } catch (error) {
    return { ok: false, error };
  }
}

port.on('message', (order: Order) => {
  const answer = answerTo(order);
  port.postMessage(answer, [...buffersIn(answer)]);
});
