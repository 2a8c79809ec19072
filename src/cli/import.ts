import { createReadStream, existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { Command } from 'commander';
import { z } from 'zod';
import { AppError, messageOf } from '../errors.js';
import { isTable } from '../store/file-rows.js';
import type { withRowsAsLines } from '../wiring/file-rows.js';
import type { CommonOptions } from './command-options.js';
import { eventsOfRow, type TableRow } from './import-rows.js';
import { unlessInterrupted } from './interruption.js';
import { answer, countsSentence, createProgress, say } from './output.js';
import { createServiceClient, REPLAY_PATIENCE_MS, type ServiceClient } from './service-client.js';

/** Of one request: the service takes 32 MiB. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_LINES = 5_000;

const counts = z.object({
  received: z.number(),
  accepted: z.number(),
  duplicate: z.number(),
  rejected: z.number(),
  erased: z.number().optional(),
});
export type ImportCounts = z.output<typeof counts>;
type Kind = 'predictions' | 'labels';

export interface ImportOptions {
  readonly client: Pick<ServiceClient, 'postLines'>;
  readonly files: readonly string[];
  /** Of rows that name none. */
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  /** What lines of JSON are; tables say it by their columns. */
  readonly kind: Kind;
  /** Reads a table; with an engine of its own, when left out. */
  readonly readTable?: typeof withRowsAsLines;
  readonly onProgress?: (doneBytes: number, totalBytes: number, file: string) => void;
}

/** Lines of one kind on their way to the service, a request at a time. */
function createSender({ client, model, version }: ImportOptions, kind: Kind, total: ImportCounts) {
  const query = new URLSearchParams();
  if (model !== undefined) query.set('model', model);
  if (version !== undefined) query.set('version', version);
  const path = `${kind === 'labels' ? '/v1/labels' : '/v1/ingest'}${query.size === 0 ? '' : `?${query}`}`;
  let lines: string[] = [];
  let bytes = 0;
  async function flush(): Promise<void> {
    if (lines.length === 0) return;
    const part = counts.parse(await client.postLines(path, lines));
    for (const name of ['received', 'accepted', 'duplicate', 'rejected'] as const) total[name] += part[name];
    if (part.erased !== undefined) total.erased = (total.erased ?? 0) + part.erased;
    lines = [];
    bytes = 0;
  }
  return {
    flush,
    async add(line: string): Promise<void> {
      lines.push(line);
      bytes += line.length;
      if (lines.length >= MAX_LINES || bytes >= MAX_BYTES) await flush();
    },
  };
}

/** Lines of a file, plain or gzip. Throws file_unreadable for one that breaks off. */
async function* linesOf(path: string, onBytes: (bytes: number) => void): AsyncGenerator<string> {
  const raw = createReadStream(path);
  const text = path.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  // pipe() does not pass errors on: a truncated archive must fail the import, not end it early.
  raw.on('error', (error) => text.destroy(error));
  try {
    for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line.trim() !== '') yield line;
      onBytes(raw.bytesRead);
    }
  } catch (cause) {
    throw new AppError(
      'file_unreadable',
      `cannot read ${path} to its end: ${messageOf(cause)}; mend it and import it again, what was sent will count as duplicate`,
      { cause },
    );
  }
}

/** The engine is loaded for a table alone. */
const readWithEngine: typeof withRowsAsLines = async (path, work) =>
  (await import('../wiring/file-rows.js')).withRowsAsLines(path, work);

/** Sends the rows of files to the service; sending a file again is harmless. */
export async function importFiles(options: ImportOptions): Promise<Record<Kind, ImportCounts>> {
  const { files, kind, onProgress, readTable = readWithEngine } = options;
  const none = (): ImportCounts => ({ received: 0, accepted: 0, duplicate: 0, rejected: 0 });
  const totals = { predictions: none(), labels: none() };
  for (const file of files)
    if (!existsSync(file)) throw new AppError('file_unreadable', `no such file: ${file}`);
  const senders = {
    predictions: createSender(options, 'predictions', totals.predictions),
    labels: createSender(options, 'labels', totals.labels),
  };
  async function table(lines: string, file: string): Promise<void> {
    const size = statSync(lines).size;
    let index = 0;
    for await (const line of linesOf(lines, (bytes) => onProgress?.(bytes, size, basename(file)))) {
      const events = eventsOfRow(JSON.parse(line) as TableRow, `${basename(file)}#${index}`);
      if (events.prediction !== null) await senders.predictions.add(JSON.stringify(events.prediction));
      if (events.label !== null) await senders.labels.add(JSON.stringify(events.label));
      index += 1;
    }
  }
  for (const file of files) {
    if (isTable(file)) await readTable(file, (lines) => table(lines, file));
    else {
      const size = statSync(file).size;
      for await (const line of linesOf(file, (bytes) => onProgress?.(bytes, size, basename(file))))
        await senders[kind].add(line);
    }
    await senders.predictions.flush();
    await senders.labels.flush();
  }
  return totals;
}

export function addImportCommand(program: Command, { url, key, json, outputOf }: CommonOptions): void {
  program
    .command('import')
    .description('send files of another system: JSON lines (SageMaker, Databricks, events), Parquet, CSV')
    .argument('<file...>', '.ndjson, .jsonl (also .gz), .parquet, .csv')
    .option('--model <model>', 'model of rows that name none')
    .option('--version <version>', 'version of rows that name none')
    .option('--labels', 'the lines of JSON are labels', false)
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action(async (files: string[], options) => {
      const output = outputOf(options);
      const progress = createProgress(output, 'import');
      const work = importFiles({
        client: createServiceClient({ ...options, patienceMs: REPLAY_PATIENCE_MS }),
        files,
        model: options.model,
        version: options.version,
        kind: options.labels ? 'labels' : 'predictions',
        onProgress: (done, total, file) => progress.update(done, total, file),
      });
      const totals = await unlessInterrupted('the import', work).finally(() => progress.stop());
      for (const [kind, c] of Object.entries(totals))
        if (c.received > 0) say(output, countsSentence(kind, c));
      answer(output, totals);
    });
}
