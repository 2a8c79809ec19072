import { CommanderError } from 'commander';
import { EXIT_CODES, exitCodeOf } from './cli/exit-codes.js';
import { createProgram } from './cli/program.js';
import { AppError, messageOf } from './errors.js';

async function main(): Promise<number> {
  try {
    let code: number = EXIT_CODES.done;
    await createProgram({
      stdout: process.stdout,
      stderr: process.stderr,
      noColor: (process.env.NO_COLOR ?? '') !== '',
      onExitCode: (told) => {
        code = told;
      },
    }).parseAsync(process.argv);
    return code;
  } catch (error) {
    // The parser has said what is wrong already.
    if (error instanceof CommanderError) return exitCodeOf(error);
    // An operational failure is for its reader: what happened and what to do. Anything else is a bug and shows its stack.
    const text =
      error instanceof AppError
        ? `plumbline: ${error.message} [${error.code}]`
        : `plumbline: internal error: ${error instanceof Error ? error.stack : messageOf(error)}`;
    process.stderr.write(`${text}\n`);
    return exitCodeOf(error);
  }
}

/** Waits until the reader of a pipe has taken all: what is still under way when the process ends is lost. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}

for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `plumbline … | head`: a reader that has seen enough is no failure.
    if (error.code !== 'EPIPE') throw error;
  });

const code = await main();
await written(process.stdout);
await written(process.stderr);
// The engine's threads can outlive its closing: the exit code is given once everything is written.
process.exit(code);
