import { join } from 'node:path';
import { parseConfig } from '../../src/config.js';

/** A service on the data's clock whose windows are days, and whose cycle runs when the test says so. */
export const dailyConfig = (directory: string, defaults: object = {}) =>
  parseConfig({
    store: { dataDir: join(directory, 'data') },
    http: { port: 0 },
    clock: 'data',
    jobs: { cron: '0 0 0 1 1 *' },
    log: { level: 'silent' },
    defaults: { window: { length: '24h', step: '24h' }, ...defaults },
  });
