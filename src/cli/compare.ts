import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Comparison } from '../domain/comparison.js';
import { AppError, messageOf } from '../errors.js';
import { type CompareRequest, compareFiles } from '../jobs/compare-files.js';
import { comparisonDocument, driftedParts } from '../jobs/comparison.js';
import { partsSentence, summarySentence } from '../views/comparison-words.js';
import { plural } from '../views/format.js';
import { withFileComparer } from '../wiring/comparison.js';
import type { CompareOptions } from './compare-options.js';
import { columnsTable, paintsFor, partsTable } from './compare-table.js';
import { EXIT_CODES } from './exit-codes.js';
import { withInterruption } from './interruption.js';
import { answer, createProgress, type Output, say } from './output.js';

/** Work that is done sooner shows no progress. */
const QUIET_MS = 1_500;
const MAX_LISTED_WINDOWS = 100;

function partsOf(options: CompareOptions): CompareRequest['parts'] {
  if (options.segment !== undefined) return { by: 'segment', column: options.segment };
  if (options.windowRows !== undefined) return { by: 'rows', windowRows: options.windowRows };
  if (options.window !== undefined) return { by: 'time', lengthMs: options.window };
  return null;
}

/** Compares two sides of files and tells the result; gives the exit code: drift in all rows or in any part, none, or nothing decided. */
export async function compare(
  files: { readonly reference: readonly string[]; readonly current: readonly string[] },
  options: CompareOptions,
  output: Output & { readonly coloured: boolean },
  renderReport: (comparison: Comparison) => Promise<string>,
): Promise<number> {
  const progress = createLateProgress(output);
  const request: CompareRequest = {
    ...files,
    level: options.level,
    timeColumn: options.time ?? null,
    together: options.together === true,
    parts: partsOf(options),
  };
  const comparison = await withInterruption('the comparison', (interruption) =>
    withFileComparer((files, countInThread) =>
      Promise.race([
        compareFiles({ files, countInThread, onProgress: progress.update }, request),
        interruption,
      ]),
    ),
  ).finally(() => progress.stop());
  const reportPath = options.report === undefined ? null : resolve(options.report);
  if (reportPath !== null) await writeWhole(reportPath, await renderReport(comparison));
  tell(comparison, output);
  if (reportPath !== null) say(output, `Report: ${reportPath}`);
  answer(output, comparisonDocument(comparison));
  if (comparison.dataset.status === 'drifted' || driftedParts(comparison).length > 0) return EXIT_CODES.drift;
  return comparison.dataset.status === 'undecided' ? EXIT_CODES.failed : EXIT_CODES.done;
}

function tell(comparison: Comparison, output: Output & { readonly coloured: boolean }): void {
  const { reference, current, columns, together, windows, segments, notes } = comparison;
  const paints = paintsFor(output.coloured);
  const ofParts = partsSentence(comparison, driftedParts(comparison).length);
  const sentences = [summarySentence(comparison), ...(ofParts === null ? [] : [ofParts])];
  say(output, `reference  ${plural(reference.rows, 'row')}  ${names(reference.files)}`);
  say(output, `current    ${plural(current.rows, 'row')}  ${names(current.files)}`);
  say(output);
  if (output.json) {
    for (const note of notes) say(output, note);
    for (const sentence of sentences) say(output, sentence);
    return;
  }
  say(output, columnsTable(columns, paints));
  const told = columns.filter((column) => column.status !== 'stable');
  if (told.length > 0) say(output);
  for (const column of told) say(output, column.explanation);
  if (together !== null) {
    say(output);
    say(output, together.explanation);
  }
  for (const [kind, parts] of [
    ['window', windows?.parts],
    ['segment', segments?.parts],
  ] as const) {
    if (parts === undefined || parts.length === 0) continue;
    say(output);
    say(output, partsTable(kind, parts.slice(0, MAX_LISTED_WINDOWS), paints));
    if (parts.length > MAX_LISTED_WINDOWS)
      say(output, `… and ${parts.length - MAX_LISTED_WINDOWS} more ${kind}s: --json has them all`);
  }
  say(output);
  for (const note of notes) say(output, note);
  for (const sentence of sentences) say(output, paints.strong(sentence));
}

function names(files: readonly string[]): string {
  const [first = ''] = files;
  return files.length > 1 ? `${first} and ${files.length - 1} more` : first;
}

/** The file appears whole or not at all. */
async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(draft, text);
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw new AppError(
      'file_unreadable',
      `cannot write the report ${path}: ${messageOf(cause)}; choose another place`,
      {
        cause,
      },
    );
  }
}

function createLateProgress(output: Output) {
  const startedMs = performance.now();
  let progress: ReturnType<typeof createProgress> | null = null;
  return {
    update: (done: number, total: number, note: string) => {
      if (performance.now() - startedMs < QUIET_MS) return;
      progress ??= createProgress(output, 'compare');
      progress.update(done, total, note);
    },
    stop: () => progress?.stop(),
  };
}
