import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { AppError, messageOf } from '../errors.js';
import type { CommonOptions } from './command-options.js';
import { untilInterrupted } from './interruption.js';
import { answer, type Output, say } from './output.js';
import { createServiceClient, type ServiceClient } from './service-client.js';
import { createFileTail, type TailPosition } from './tail-file.js';

const POLL_MS = 500;
const RETRY_MS = 5_000;

const state = z.strictObject({
  inode: z.int(),
  offset: z.int(),
  // Those of earlier versions lack these.
  mtimeMs: z.number().optional(),
  head: z.strictObject({ bytes: z.int(), sha256: z.string() }).optional(),
});
const counts = z.object({ received: z.number(), accepted: z.number(), rejected: z.number() });

export interface TailOptions {
  readonly client: Pick<ServiceClient, 'postLines'>;
  readonly path: string;
  /** Where it is kept how far the file was sent. */
  readonly stateFile: string;
  readonly endpoint: string;
  readonly output: Pick<Output, 'stderr'>;
  readonly signal: AbortSignal;
  readonly pollMs?: number;
  readonly retryMs?: number;
  /** How long a file that was rotated away must not have been written to before the next one is read. */
  readonly settledMs?: number;
}

async function readState(path: string): Promise<TailPosition | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null; // the first time
    throw new AppError('file_unreadable', `cannot read the state file ${path}: ${messageOf(error)}`);
  }
  try {
    const kept = state.parse(JSON.parse(text));
    // Where it does not say it: what was written by then had been read, or nearly.
    return { ...kept, mtimeMs: kept.mtimeMs ?? (await stat(path)).mtimeMs };
  } catch (cause) {
    throw new AppError(
      'file_unreadable',
      `the state file ${path} is damaged: remove it, and the file is sent from its start (what is known counts as duplicate)`,
      { cause },
    );
  }
}

/** Whole or not at all. */
async function writeState(path: string, position: TailPosition): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(position));
  await rename(`${path}.new`, path);
}

/**
 * Sends the lines of a file as they are written, each batch until the service has answered that it is durable; then remembers how far it
 * came. A crash in between sends a batch again, which the service knows by its ids.
 */
export async function tail(options: TailOptions): Promise<{ sent: number; rejected: number }> {
  const {
    client,
    path,
    stateFile,
    endpoint,
    output,
    signal,
    pollMs = POLL_MS,
    retryMs = RETRY_MS,
    settledMs,
  } = options;
  const warn = (text: string) => output.stderr.write(`${text}\n`);
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
  let position = await readState(stateFile);
  /** Of the place where it is. */
  let told = false;
  const total = { sent: 0, rejected: 0 };
  const file = createFileTail(
    path,
    {
      gone: ({ offset }) => {
        if (!told)
          warn(
            `${path} was rotated away, or truncated, before it was read behind byte ${offset}: keep rotated files, or copies, beside it`,
          );
        told = true;
      },
      compressed: (passed) =>
        warn(
          `${passed} was compressed before it was read: send it with "plumbline import", and leave rotated files uncompressed for longer (logrotate: delaycompress)`,
        ),
    },
    settledMs,
  );

  while (!signal.aborted) {
    try {
      const batch = await file.next(position);
      if (batch === null) {
        await pause(pollMs);
        continue;
      }
      if (batch.lines.length > 0) {
        const { rejected } = counts.parse(await client.postLines(endpoint, batch.lines));
        total.sent += batch.lines.length;
        total.rejected += rejected;
        if (rejected > 0)
          warn(`${rejected} of ${batch.lines.length} lines were rejected: plumbline rejected list says why`);
      }
      await writeState(stateFile, batch.next);
      position = batch.next;
      told = false;
    } catch (error) {
      // Nothing is skipped: the same lines come again.
      warn(`not sent, trying again: ${messageOf(error)}`);
      await pause(retryMs);
    }
  }
  return total;
}

export function addTailCommand(program: Command, { url, key, json, outputOf }: CommonOptions): void {
  program
    .command('tail')
    .description('send the lines of a file as they are written, over restarts and rotation: a sidecar')
    .argument('<file>', 'predictions (or labels) as JSON, one per line')
    .option('--state <file>', 'where it is kept how far the file was sent (default: FILE.plumbline)')
    .option('--labels', 'the lines are labels', false)
    .option('--model <model>', 'model of lines that name none')
    .option('--version <version>', 'version of lines that name none')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action(async (path: string, options) => {
      const output = outputOf(options);
      const query = new URLSearchParams();
      for (const name of ['model', 'version'] as const)
        if (options[name] !== undefined) query.set(name, options[name]);
      const stop = new AbortController();
      const work = tail({
        client: createServiceClient(options),
        path,
        stateFile: options.state ?? `${path}.plumbline`,
        endpoint: `/v1/${options.labels ? 'labels' : 'ingest'}${query.size === 0 ? '' : `?${query}`}`,
        output,
        signal: stop.signal,
      });
      say(output, `following ${path}`);
      await Promise.race([untilInterrupted(stop.signal).then(() => stop.abort()), work]);
      const total = await work;
      say(output, `${total.sent} lines sent, ${total.rejected} rejected`);
      answer(output, total);
    });
}
