import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { messageOf } from '../errors.js';
import { packageVersion } from '../version.js';
import { addBackupCommands } from './backup-commands.js';
import { createCommonOptions, type Streams } from './command-options.js';
import { addCompareCommand } from './compare-command.js';
import { addEpisodeCommands } from './episodes.js';
import { addErasureCommands } from './erase.js';
import { addImportCommand } from './import.js';
import { unlessInterrupted } from './interruption.js';
import { addKey, parseScopes } from './key.js';
import { addModelCommands } from './model-commands.js';
import { addOutlierCommand } from './outliers.js';
import { answer, countsSentence, createProgress, say } from './output.js';
import { addPolicyCommands } from './policy-commands.js';
import { addPolicySettingCommands } from './policy-setting.js';
import { addRejectedCommands } from './rejected.js';
import { replay } from './replay-stream.js';
import { addReportCommands } from './reports.js';
import { createServiceClient, REPLAY_PATIENCE_MS } from './service-client.js';
import { addSkewCommand } from './skew.js';
import { addTailCommand } from './tail.js';
import { addVersionCommands } from './versions.js';
import { addWebhookCommands } from './webhook.js';

const EXAMPLES = join(dirname(fileURLToPath(import.meta.url)), '..', 'examples', 'flights');

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('a port is a whole number from 0 to 65535 (0: any free one).');
  return value;
}

function scopes(text: string) {
  try {
    return parseScopes(text);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

/** The command line. `output` is where answers and messages go; nothing here ends the process. */
export function createProgram(streams: Streams): Command {
  const program = new Command('plumbline')
    .description('Drift and model-performance monitoring whose alarms can be trusted')
    .version(packageVersion())
    // Commands have a --version of their own: that of a model.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
    });

  const common = createCommonOptions(streams);
  const { url, key, json, outputOf } = common;
  const configFile = () => new Option('--config <file>', 'configuration file (YAML)');
  const dataDir = () => new Option('--data-dir <dir>', 'directory of the embedded store');

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
    .action(async (options) => (await import('./serve.js')).serve(options, outputOf(options)));

  addCompareCommand(program, streams, common);

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
    .action(async (options) => (await import('./demo.js')).runDemo(options, outputOf(options)));

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
        if (c.received > 0) say(output, countsSentence(kind, c));
      answer(output, counts);
    });

  addImportCommand(program, common);
  addTailCommand(program, common);

  const model = addModelCommands(program, common);
  addPolicyCommands(program, model, common);
  addVersionCommands(program, common);
  addSkewCommand(program, common);

  addReportCommands(program, common);
  addEpisodeCommands(program, common);
  addPolicySettingCommands(program, common);
  addOutlierCommand(program, common);
  addRejectedCommands(program, common);
  addErasureCommands(program, common);
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
    .action(async (options) => (await import('./migrate.js')).migrate(options, outputOf(options)));

  addBackupCommands(program, common, { configFile, dataDir });

  program
    .command('doctor')
    .description('check configuration, engine, disk and port, and say what is wrong')
    .addOption(configFile())
    .addOption(dataDir())
    .option('--port <port>', 'HTTP port', port)
    .addOption(json())
    .action(async (options) => (await import('./doctor.js')).doctor(options, outputOf(options)));

  return program;
}
