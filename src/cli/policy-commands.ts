import { type Command, InvalidArgumentError, type Option } from 'commander';
import type { Output } from './output.js';
import { createServiceClient } from './service-client.js';
import { tuneModel } from './tune.js';

/** Options that the commands share; each call makes a new one. */
export interface CommonOptions {
  readonly url: () => Option;
  readonly key: () => Option;
  readonly json: () => Option;
  readonly outputOf: (options: { json?: boolean }) => Output;
}

export function parseBudget(text: string): number {
  const budget = Number(text);
  if (!(budget >= 0.05 && budget <= 100))
    throw new InvalidArgumentError('a budget is a number of false episodes per 30 days from 0.05 to 100.');
  return budget;
}

/** Adds `model tune`. */
export function addPolicyCommands(model: Command, { url, key, json, outputOf }: CommonOptions): void {
  model
    .command('tune')
    .description(
      'what a budget of false episodes means: level, expected false episodes, and the smallest drift that alarms',
    )
    .argument('<model>')
    .option('--version <version>', 'version of the model (default: the one registered last)')
    .option(
      '--budget <budgets>',
      'false episodes per 30 days, several with commas',
      (text: string) => text.split(',').map(parseBudget),
      [0.1, 0.5, 1, 4],
    )
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((name: string, options) =>
      tuneModel(
        createServiceClient(options),
        { model: name, version: options.version, budgets: options.budget },
        outputOf(options),
      ),
    );
}
