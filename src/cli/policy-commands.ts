import { type Command, InvalidArgumentError, Option } from 'commander';
import type { PlantedShift } from '../domain/backtest.js';
import { backtestModel, parseShift } from './backtest.js';
import type { CommonOptions } from './command-options.js';
import { showConceptDrift } from './concept-drift.js';
import { showPerformance } from './performance.js';
import { createServiceClient } from './service-client.js';
import { tuneModel } from './tune.js';

export function parseBudget(text: string): number {
  const budget = Number(text);
  if (!(budget >= 0.05 && budget <= 100))
    throw new InvalidArgumentError('a budget is a number of false episodes per 30 days from 0.05 to 100.');
  return budget;
}

const TUNED_BUDGETS: readonly number[] = [0.1, 0.5, 1, 4];

/** Several with commas, or the option several times, in place of the default. */
const budgetsInsteadOf =
  (defaults: readonly number[]) =>
  (text: string, earlier: readonly number[]): number[] => [
    ...(earlier === defaults ? [] : earlier),
    ...text.split(',').map(parseBudget),
  ];
const NO_BUDGETS: readonly number[] = [];

function shift(text: string, earlier: readonly PlantedShift[]): PlantedShift[] {
  const parsed = parseShift(text);
  if (parsed === null)
    throw new InvalidArgumentError('a shift reads FEATURE:SIZE or FEATURE:missing:SHARE, e.g. age:0.5.');
  return [...earlier, parsed];
}

/** Adds `model tune`, `model performance` and `backtest`. */
export function addPolicyCommands(
  program: Command,
  model: Command,
  { url, key, json, outputOf }: CommonOptions,
): void {
  program
    .command('backtest')
    .description('what policies would have done over the stored past, beside the one in force')
    .argument('<model>')
    .option('--version <version>', 'version of the model (default: the one registered last)')
    .option(
      '--policy <file>',
      'a policy section as YAML; may be repeated',
      (file: string, earlier: readonly string[]) => [...earlier, file],
      [],
    )
    .option(
      '--budget <budgets>',
      'false episodes per 30 days, several with commas',
      budgetsInsteadOf(NO_BUDGETS),
      NO_BUDGETS,
    )
    .option(
      '--shift <shift>',
      'plant a drift: FEATURE:SIZE (standard deviations, or the share of categories that moves) or FEATURE:missing:SHARE; may be repeated',
      shift,
      [],
    )
    .option('--from <date>', 'first day, e.g. 2013-03-01')
    .option('--to <date>', 'day after the last')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((name: string, { budget, shift: shifts, ...options }) =>
      backtestModel(
        createServiceClient(options),
        { ...options, model: name, budgets: budget, shifts },
        outputOf(options),
      ),
    );

  model
    .command('performance')
    .description('how good a version was, by the labels that have come')
    .argument('<model>')
    .option('--version <version>', 'version of the model (default: the one registered last)')
    .option('--from <time>', 'first hour, e.g. 2013-03-01')
    .option('--to <time>', 'hour after the last')
    .addOption(
      new Option('--bucket <length>', 'stretches of time')
        .choices(['hour', 'day', 'week', 'month', 'all'])
        .default('month'),
    )
    .option('--segment <segment>', 'only rows with COLUMN=VALUE, e.g. tags.region=eu')
    .option('--estimated', 'what was expected before the labels came, beside what they have shown')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((name: string, options) =>
      showPerformance(createServiceClient(options), { ...options, model: name }, outputOf(options)),
    );

  model
    .command('concept-drift')
    .description('where the errors of a version changed, in the order in which its labels came')
    .argument('<model>')
    .option('--version <version>', 'version of the model (default: the one registered last)')
    .option('--limit <detections>', 'detections to show, the newest', '20')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((name: string, options) =>
      showConceptDrift(createServiceClient(options), { ...options, model: name }, outputOf(options)),
    );

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
      budgetsInsteadOf(TUNED_BUDGETS),
      TUNED_BUDGETS,
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
