import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { AppError } from '../errors.js';

const STDIN = 0;
const NOTHING = '/dev/null';
let lost = false;

/**
 * Keeps this process's stdin from the engine, which takes what is there for rows of each INSERT, whoever wrote it. Where stdin is an open
 * pipe (under a supervisor, in a test runner), it makes it non-blocking, reads, and makes it as it was: of two INSERTs at once one can
 * find it blocking again and wait for ever, and with it its connection and the end of the process. Of a terminal it reads nothing.
 * Call it before the engine is opened; from then on stdin is empty.
 */
export function withholdStdin(): void {
  if (!lost && (isatty(STDIN) || isNothing(STDIN))) return;
  if (!lost) closeSync(STDIN);
  // The lowest number that is free, which is that of stdin, unless another thread opened something at this very moment.
  const taken = openSync(NOTHING, 'r');
  lost = taken !== STDIN;
  if (!lost) return;
  closeSync(taken);
  throw new AppError(
    'store_unavailable',
    'stdin could not be kept from the embedded engine; start the process with < /dev/null',
  );
}

function isNothing(fd: number): boolean {
  const opened = fstatSync(fd);
  return opened.isCharacterDevice() && opened.rdev === statSync(NOTHING).rdev;
}
