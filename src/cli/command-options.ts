import { type Command, Option } from 'commander';
import type { Output } from './output.js';

export interface Streams extends Pick<Output, 'stderr'> {
  readonly stdout: NodeJS.WritableStream & { isTTY?: boolean };
  /** Told the exit code of a command that ended well but says something by its code. */
  readonly onExitCode: (code: number) => void;
  /** NO_COLOR of the environment, as no-color.org asks for. */
  readonly noColor: boolean;
}

/** Options that the commands share; each call makes a new one. */
export interface CommonOptions {
  readonly url: () => Option;
  readonly key: () => Option;
  readonly json: () => Option;
  readonly outputOf: (options: { json?: boolean }) => Output;
}

export function createCommonOptions(streams: Streams): CommonOptions {
  return {
    url: () =>
      new Option('--url <url>', 'the running service').env('PLUMBLINE_URL').default('http://127.0.0.1:8080'),
    key: () => new Option('--key <key>', 'API key').env('PLUMBLINE_KEY'),
    json: () => new Option('--json', 'print one JSON document on stdout, and nothing else there'),
    outputOf: (options) => ({ ...streams, json: options.json === true }),
  };
}

/** Ends the command as the parser does when it cannot be understood; nothing to do where nothing is wrong. */
export function refuse(command: Command, problem: string | null): void {
  if (problem !== null) command.error(`error: ${problem}`);
}
