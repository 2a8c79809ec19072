import { createServer } from 'node:net';

/**
 * Below the ports that the system gives to connections of any process by itself (32768 and up), which would take one before who
 * it is meant for listens; and each worker of the tests has its own.
 */
const FIRST = 15_000;
const WORKERS = 16;
const PER_WORKER = 1_000;
const ATTEMPTS = 200;

const worker = Number(process.env.JEST_WORKER_ID ?? 0) % WORKERS;
/** Where two programs are in doubt, as a test run and a benchmark, they begin elsewhere. */
let next = Math.floor(Math.random() * PER_WORKER);

/** A loopback port that nothing listens on at the moment, and that was not given before. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = FIRST + worker * PER_WORKER + next;
    next = (next + 1) % PER_WORKER;
    if (await isFree(port)) return port;
  }
  throw new Error(`none of ${ATTEMPTS} ports is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
