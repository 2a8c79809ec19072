import { createReadStream, existsSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { AppError, messageOf } from '../errors.js';
import type { ServiceClient } from './service-client.js';

/** Events sent in one request. */
const BATCH = 5_000;

const answer = z.object({
  received: z.number(),
  accepted: z.number(),
  duplicate: z.number(),
  rejected: z.number(),
  erased: z.number().optional(),
});
export type ReplayCounts = z.output<typeof answer>;

export interface ReplayOptions {
  readonly client: Pick<ServiceClient, 'postLines'>;
  /** NDJSON files, plain or gzip; each holds predictions or labels, in order of time. */
  readonly files: readonly string[];
  /** Compressed bytes read so far, of all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number, eventTime: string) => void;
}

interface LineStream {
  readonly kind: 'predictions' | 'labels';
  readonly bytesRead: () => number;
  readonly next: () => Promise<string | null>;
  head: string | null;
}

const TIMESTAMP = /"timestamp"\s*:\s*"([^"]{4,40})"/;

function timeOf(line: string): string {
  return TIMESTAMP.exec(line)?.[1] ?? '';
}

async function openStream(path: string): Promise<LineStream> {
  if (!existsSync(path)) throw new AppError('file_unreadable', `no such file: ${path}`);
  const raw = createReadStream(path);
  const text = path.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  // pipe() does not pass errors on: a truncated archive must fail the replay, not end it early.
  raw.on('error', (error) => text.destroy(error));
  const lines = createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  const head = await next(path, lines);
  const kind =
    head !== null && /"label"\s*:/.test(head) && !/"features"\s*:/.test(head) ? 'labels' : 'predictions';
  return { kind, bytesRead: () => raw.bytesRead, next: () => next(path, lines), head };
}

async function next(path: string, lines: AsyncIterator<string>): Promise<string | null> {
  for (;;) {
    const { value, done } = await lines.next().catch((cause: unknown) => {
      throw new AppError(
        'file_unreadable',
        `cannot read ${path} to its end: ${messageOf(cause)}; mend it and replay it again, what was sent will count as duplicate`,
        { cause },
      );
    });
    if (done) return null;
    if (value.trim() !== '') return value;
  }
}

/** Takes up to `limit` lines whose time is not after `untilTime` (ISO text of one zone compares as time). */
async function take(stream: LineStream, limit: number, untilTime: string | null): Promise<string[]> {
  const batch: string[] = [];
  while (batch.length < limit && stream.head !== null) {
    if (untilTime !== null && timeOf(stream.head) > untilTime) break;
    batch.push(stream.head);
    stream.head = await stream.next();
  }
  return batch;
}

/**
 * Sends recorded events through the service's own HTTP endpoints as fast as it takes them, labels interleaved with the
 * predictions in order of time. Sending the same file again is harmless: the service knows what it has.
 */
export async function replay(
  options: ReplayOptions,
): Promise<{ predictions: ReplayCounts; labels: ReplayCounts }> {
  const streams = await Promise.all(options.files.map(openStream));
  const totalBytes = options.files.reduce((sum, path) => sum + statSync(path).size, 0);
  const totals: Record<'predictions' | 'labels', ReplayCounts> = {
    predictions: { received: 0, accepted: 0, duplicate: 0, rejected: 0 },
    labels: { received: 0, accepted: 0, duplicate: 0, rejected: 0 },
  };

  async function post(kind: LineStream['kind'], lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const counts = answer.parse(
      await options.client.postLines(kind === 'labels' ? '/v1/labels' : '/v1/ingest', lines),
    );
    const total = totals[kind];
    total.received += counts.received;
    total.accepted += counts.accepted;
    total.duplicate += counts.duplicate;
    total.rejected += counts.rejected;
    if (counts.erased !== undefined) total.erased = (total.erased ?? 0) + counts.erased;
  }

  for (;;) {
    // The stream that stands earliest leads; the others follow up to its last event.
    const open = streams.filter((stream) => stream.head !== null);
    const lead = open.sort((a, b) => timeOf(a.head ?? '').localeCompare(timeOf(b.head ?? '')))[0];
    if (lead === undefined) return totals;
    const batch = await take(lead, BATCH, null);
    const until = timeOf(batch.at(-1) ?? '');
    await post(lead.kind, batch);
    for (const stream of open) {
      if (stream === lead) continue;
      for (;;) {
        const more = await take(stream, BATCH, until);
        if (more.length === 0) break;
        await post(stream.kind, more);
      }
    }
    options.onProgress?.(
      streams.reduce((sum, stream) => sum + stream.bytesRead(), 0),
      totalBytes,
      until,
    );
  }
}
