import { type DestinationStream, destination, pino, stdTimeFunctions } from 'pino';
import type { Logger } from './domain/ports.js';

const REDACTED = [
  'authorization',
  '*.authorization',
  'password',
  '*.password',
  'secret',
  '*.secret',
  'token',
  '*.token',
];

/** JSON lines on stderr, so that stdout stays free for a command's own answer. Secrets are redacted by field name. */
export function createLogger(options: { level: string; stream?: DestinationStream }): Logger {
  return pino(
    { level: options.level, redact: REDACTED, base: null, timestamp: stdTimeFunctions.isoTime },
    options.stream ?? destination(2),
  );
}
