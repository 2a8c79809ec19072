import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { messageOf } from '../errors.js';
import { renderComparison } from '../views/comparison.js';
import { compare, parseWindowLength, usageProblem } from './compare.js';
import { deleteModel } from './delete-model.js';
import { runDemo } from './demo.js';
import { doctor } from './doctor.js';
import { addKey, parseScopes } from './key.js';
import { migrate } from './migrate.js';
import { listModels, registerModel, showModel } from './model.js';
import { answer, createProgress, type Output, say } from './output.js';
import { addPolicyCommands } from './policy-commands.js';
import { listReferences, rebaseline } from './references.js';
import { replay } from './replay-stream.js';
import { serve, unlessInterrupted } from './serve.js';
import { createServiceClient, REPLAY_PATIENCE_MS } from './service-client.js';
import { addWebhookCommands } from './webhook.js';

const EXAMPLES = join(dirname(fileURLToPath(import.meta.url)), '..', 'examples', 'flights');

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('a port is a whole number from 0 to 65535 (0: any free one).');
  return value;
}

function level(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('a level lies between 0 and 1, e.g. 0.05.');
  return value;
}

function windowRows(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('give a whole number of rows above 0.');
  return value;
}

function windowLength(text: string): number {
  const lengthMs = parseWindowLength(text);
  if (lengthMs === null)
    throw new InvalidArgumentError('a length is a number with m, h, d or w, e.g. 1d or 6h.');
  return lengthMs;
}

function scopes(text: string) {
  try {
    return parseScopes(text);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

export interface Streams extends Pick<Output, 'stderr'> {
  readonly stdout: NodeJS.WritableStream & { isTTY?: boolean };
  /** Told the exit code of a command that ended well but says something by its code. */
  readonly onExitCode: (code: number) => void;
  /** NO_COLOR of the environment, as no-color.org asks for. */
  readonly noColor: boolean;
}

/** The command line. `output` is where answers and messages go; nothing here ends the process. */
export function createProgram(streams: Streams): Command {
  const program = new Command('plumbline')
    .description('Drift and model-performance monitoring whose alarms can be trusted')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
    });

  const json = () => new Option('--json', 'print one JSON document on stdout, and nothing else there');
  const url = () =>
    new Option('--url <url>', 'the running service').env('PLUMBLINE_URL').default('http://127.0.0.1:8080');
  const key = () => new Option('--key <key>', 'API key').env('PLUMBLINE_KEY');
  const configFile = () => new Option('--config <file>', 'configuration file (YAML)');
  const dataDir = () => new Option('--data-dir <dir>', 'directory of the embedded store');
  const outputOf = (options: { json?: boolean }): Output => ({ ...streams, json: options.json === true });

  program
    .command('serve')
    .description('run the service')
    .addOption(configFile())
    .addOption(dataDir())
    .option('--port <port>', 'HTTP port', port)
    .option(
      '--roles <list>',
      'what this process does, of collector, detector and api, with commas (default: all)',
      (text: string) => text.split(',').map((role) => role.trim()),
    )
    .action((options) => serve(options, outputOf(options)));

  program
    .command('compare')
    .description(
      'compare two data sets column by column (Parquet, CSV, NDJSON, folders, quoted patterns); exits with 3 when anything drifted',
    )
    .argument('<reference>', 'what is usual: training data, last month')
    .argument('<current...>', 'what is asked about; several files are read as one')
    .option('--report <file>', 'write an HTML report with pictures, one file')
    .option('--segment <column>', 'also compare the rows of each value of a column by themselves')
    .option('--window-rows <rows>', 'also judge each run of so many current rows', windowRows)
    .option('--window <length>', 'also judge each window of time, e.g. 1d or 6h; needs --time', windowLength)
    .option('--time <column>', 'the column of event times, which is not compared')
    .option(
      '--level <level>',
      'chance that data without drift shows any, for all columns together',
      level,
      0.05,
    )
    .addOption(json())
    .action(async (reference: string, current: string[], options, command: Command) => {
      const problem = usageProblem(options);
      if (problem !== null) command.error(`error: ${problem}`);
      const output = { ...outputOf(options), coloured: streams.stdout.isTTY === true && !streams.noColor };
      const sides = { reference: [reference], current };
      const code = await compare(sides, options, output, (comparison) =>
        renderComparison(comparison, Date.now()),
      );
      if (code !== 0) streams.onExitCode(code);
    });

  program
    .command('demo')
    .description(
      'the whole job on three months of real flights: reference, predictions and labels in, alarms out',
    )
    .option('--port <port>', 'HTTP port', port, 8080)
    .addOption(dataDir())
    .option('--exit', 'end after the replay instead of serving the page', false)
    .addOption(
      new Option('--log-level <level>', 'log level on stderr')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('warn'),
    )
    .addOption(new Option('--examples <dir>', 'example data').default(EXAMPLES).hideHelp())
    .addOption(json())
    .action((options) => runDemo(options, outputOf(options)));

  program
    .command('replay')
    .description(
      'send recorded predictions and labels (NDJSON, plain or gzip) to a running service, in order of time',
    )
    .argument('<file...>', 'files of predictions or labels')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action(async (files: string[], options) => {
      const output = outputOf(options);
      const progress = createProgress(output, 'replay');
      const work = replay({
        client: createServiceClient({ ...options, patienceMs: REPLAY_PATIENCE_MS }),
        files,
        onProgress: (done, total, eventTime) => progress.update(done, total, eventTime.slice(0, 10)),
      });
      const counts = await unlessInterrupted('the replay', work).finally(() => progress.stop());
      for (const [kind, c] of Object.entries(counts))
        if (c.received > 0)
          say(
            output,
            `${kind}: ${c.received} sent, ${c.accepted} accepted, ${c.duplicate} duplicate, ${c.rejected} rejected`,
          );
      answer(output, counts);
    });

  const model = program.command('model').description('register and look at models');
  model
    .command('register')
    .description(
      'register a model version from its reference (Parquet, CSV, NDJSON or a query); the schema is inferred',
    )
    .argument('<model>')
    .requiredOption('--version <version>', 'version of the model')
    .option('--reference <file>', 'training baseline with features, prediction and, best, timestamps')
    .option('--query <select>', "training baseline as a query on the service's ClickHouse server")
    .option('--reason <text>', 'why, for the history of references')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((name: string, options) =>
      registerModel(
        createServiceClient(options),
        {
          model: name,
          version: options.version,
          reference: options.reference === undefined ? undefined : resolve(options.reference),
          query: options.query,
          reason: options.reason,
        },
        outputOf(options),
      ),
    );
  model
    .command('list')
    .description('list registered models')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((options) => listModels(createServiceClient(options), outputOf(options)));
  model
    .command('show')
    .description("show a model's versions and schema")
    .argument('<model>')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((name: string, options) => showModel(createServiceClient(options), name, outputOf(options)));

  model
    .command('references')
    .description('list the references that a version has had, and who changed them when and why')
    .argument('<model>')
    .argument('<version>')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((name: string, version: string, options) =>
      listReferences(createServiceClient(options), { model: name, version }, outputOf(options)),
    );
  model
    .command('rebaseline')
    .description('compare with a past production period, or an earlier reference, from now on')
    .argument('<model>')
    .argument('<version>')
    .option('--from <time>', 'first hour of the period, e.g. 2013-04-01 or 2013-04-01T06:00:00Z')
    .option('--to <time>', 'hour after the last')
    .option('--reference <hash>', 'go back to an earlier reference (see "model references")')
    .option('--reason <text>', 'why, for the history of references')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((name: string, version: string, options) =>
      rebaseline(
        createServiceClient(options),
        {
          model: name,
          version,
          from: options.from,
          to: options.to,
          hash: options.reference,
          reason: options.reason,
        },
        outputOf(options),
      ),
    );

  model
    .command('delete')
    .description('delete a model in all versions, with its rows, verdicts and episodes, for good')
    .argument('<model>')
    .option('--yes', 'do not ask', false)
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((name: string, options) =>
      deleteModel(
        createServiceClient(options),
        { model: name, yes: options.yes, stdin: process.stdin },
        outputOf(options),
      ),
    );

  addPolicyCommands(program, model, { url, key, json, outputOf });

  program
    .command('report')
    .description('build a report of a model from what the running service knows')
    .argument('<model>')
    .requiredOption('--version <version>', 'version of the model')
    .option('--from <date>', 'first day, e.g. 2013-03-01')
    .option('--to <date>', 'day after the last')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action(async (name: string, options) => {
      const output = outputOf(options);
      const document = (await createServiceClient(options).postJson('/v1/reports', {
        model: name,
        modelVersion: options.version,
        from: options.from,
        to: options.to,
      })) as { path: string; url: string };
      say(output, `Report: ${document.path}`);
      answer(output, document);
    });

  addWebhookCommands(program, outputOf);

  const keys = program.command('key').description('make API keys');
  keys
    .command('create')
    .description('make a key, print it once, and add its hash to a keys file (http.keysFile)')
    .requiredOption('--keys-file <file>', 'the file, made when it is not there')
    .requiredOption('--scopes <list>', 'of ingest, read and admin, with commas', scopes)
    .option('--models <list>', 'model names with commas; * stands for any characters', '*')
    .addOption(json())
    .action((options) =>
      addKey(
        { ...options, models: options.models.split(',').map((m: string) => m.trim()) },
        outputOf(options),
      ),
    );

  program
    .command('migrate')
    .description("bring the store's tables up to date")
    .addOption(configFile())
    .addOption(dataDir())
    .addOption(json())
    .action((options) => migrate(options, outputOf(options)));

  program
    .command('doctor')
    .description('check configuration, engine, disk and port, and say what is wrong')
    .addOption(configFile())
    .addOption(dataDir())
    .option('--port <port>', 'HTTP port', port)
    .addOption(json())
    .action((options) => doctor(options, outputOf(options)));

  return program;
}
