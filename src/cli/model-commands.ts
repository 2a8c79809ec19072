import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type CommonOptions, refuse } from './command-options.js';
import { deleteModel, deletionProblem } from './delete-model.js';
import { listModels, registerModel, registerProblem, showModel } from './model.js';
import { listReferences, rebaseline, rebaselineProblem } from './references.js';
import { createServiceClient } from './service-client.js';

/** Adds `model` with its commands on models, versions and references, and returns it for others to add to. */
export function addModelCommands(program: Command, { url, key, json, outputOf }: CommonOptions): Command {
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
    .option('--trees <trees>', 'trees of the isolation forest, instead of as configured')
    .option('--sample-size <rows>', 'rows that each tree is grown on')
    .option('--reason <text>', 'why, for the history of references')
    .option('--retrained-for <ids...>', 'episodes, or webhook events, that the version was trained for')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((name: string, options, command: Command) => {
      refuse(command, registerProblem(options));
      return registerModel(
        createServiceClient(options),
        {
          model: name,
          version: options.version,
          reference: options.reference === undefined ? undefined : resolve(options.reference),
          query: options.query,
          reason: options.reason,
          trees: options.trees,
          sampleSize: options.sampleSize,
          retrainedFor: options.retrainedFor,
        },
        outputOf(options),
      );
    });
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
    .action((name: string, version: string, options, command: Command) => {
      const { from, to, reference: hash, reason } = options;
      refuse(command, rebaselineProblem({ from, to, hash }));
      return rebaseline(
        createServiceClient(options),
        { model: name, version, from, to, hash, reason },
        outputOf(options),
      );
    });

  model
    .command('delete')
    .description('delete a model in all versions, with its rows, verdicts and episodes, for good')
    .argument('<model>')
    .option('--yes', 'do not ask', false)
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((name: string, options, command: Command) => {
      refuse(command, deletionProblem({ model: name, yes: options.yes, stdin: process.stdin }));
      return deleteModel(
        createServiceClient(options),
        { model: name, yes: options.yes, stdin: process.stdin },
        outputOf(options),
      );
    });
  return model;
}
