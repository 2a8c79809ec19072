import { CommanderError } from 'commander';
import { AppError } from '../errors.js';

/** What a command says by its end; the same for all commands. Documented in docs/errors.md. */
export const EXIT_CODES = {
  done: 0,
  /** It was understood and could not be done, or nothing could be decided. */
  failed: 1,
  /** The command line or the configuration cannot be used as it stands. */
  usage: 2,
  /** `compare` found drift. */
  drift: 3,
} as const;

/** The exit code that belongs to what a command threw. */
export function exitCodeOf(error: unknown): number {
  // Help and version end the parser too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
  return error instanceof AppError && error.code === 'config_invalid' ? EXIT_CODES.usage : EXIT_CODES.failed;
}
