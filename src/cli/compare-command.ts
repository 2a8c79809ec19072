import { type Command, InvalidArgumentError } from 'commander';
import { type CommonOptions, refuse, type Streams } from './command-options.js';
import { parseWindowLength, usageProblem } from './compare-options.js';

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

/** Adds `compare`, which says by its exit code (3) that anything drifted. */
export function addCompareCommand(
  program: Command,
  streams: Streams,
  { json, outputOf }: CommonOptions,
): void {
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
    .option('--together', 'also compare how columns go together, in 5,000 rows of each side')
    .option(
      '--level <level>',
      'chance that data without drift shows any, for all columns together',
      level,
      0.05,
    )
    .addOption(json())
    .action(async (reference: string, current: string[], options, command: Command) => {
      refuse(command, usageProblem(options));
      const output = { ...outputOf(options), coloured: streams.stdout.isTTY === true && !streams.noColor };
      const sides = { reference: [reference], current };
      const { compare } = await import('./compare.js');
      // Drawing needs more code than comparing: it is read for a report alone.
      const code = await compare(sides, options, output, async (comparison) => {
        const { renderComparison } = await import('../views/comparison.js');
        return renderComparison(comparison, Date.now());
      });
      if (code !== 0) streams.onExitCode(code);
    });
}
