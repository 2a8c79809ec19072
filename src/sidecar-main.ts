import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { exitCodeOf } from './cli/exit-codes.js';
import { untilInterrupted } from './cli/interruption.js';
import { AppError, messageOf } from './errors.js';
import { createLogger } from './logger.js';
import { startSidecar } from './sidecar/sidecar.js';
import { packageVersion } from './version.js';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function bytes(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([kmg]?)i?b?$/i.exec(text.trim()) ?? [];
  const value = Math.floor(Number(digits) * (UNITS[unit.toLowerCase()] ?? 0));
  if (digits === '' || value < 1)
    throw new InvalidArgumentError('a size is a number of bytes, or like 512m or 2g.');
  return value;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number, not negative.');
  return value;
}

const program = new Command('plumbline-sidecar')
  .description(
    'takes events beside a model, keeps them on disk, and delivers them to Plumbline when it is there',
  )
  .version(packageVersion())
  .exitOverride()
  .addOption(new Option('--url <url>', 'the running service').env('PLUMBLINE_URL').makeOptionMandatory())
  .addOption(new Option('--key <key>', 'API key with the scope ingest').env('PLUMBLINE_KEY'))
  .addOption(
    new Option('--dir <dir>', 'directory of what waits').env('PLUMBLINE_SPOOL').default('plumbline-spool'),
  )
  .addOption(
    new Option('--max-bytes <size>', 'most that waits on disk').argParser(bytes).default(1024 ** 3, '1g'),
  )
  .addOption(new Option('--host <host>', 'address to listen on').default('127.0.0.1'))
  .addOption(new Option('--port <port>', 'HTTP port').argParser(whole).default(8081))
  .addOption(
    new Option('--drain-ms <ms>', 'how long a stop waits for deliveries').argParser(whole).default(5_000),
  )
  .addOption(new Option('--log-level <level>', 'least level that is logged').default('info'))
  .action(async (options) => {
    if (!/^https?:\/\//.test(options.url))
      throw new AppError(
        'config_invalid',
        `${options.url} is no address of a service: write http://HOST:PORT`,
      );
    const sidecar = await startSidecar({
      ...options,
      directory: options.dir,
      logger: createLogger({ level: options.logLevel }),
    });
    process.stdout.write(`Plumbline's sidecar listens on ${sidecar.url}\n`);
    await untilInterrupted();
    await sidecar.stop();
  });

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError))
    process.stderr.write(
      error instanceof AppError
        ? `plumbline-sidecar: ${error.message} [${error.code}]\n`
        : `plumbline-sidecar: internal error: ${error instanceof Error ? error.stack : messageOf(error)}\n`,
    );
  process.exitCode = exitCodeOf(error);
}
