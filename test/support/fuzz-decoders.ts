import { readFileSync } from 'node:fs';
import { createEventReader } from '../../src/collectors/event-reader.js';
import { createTargetReader } from '../../src/collectors/formats/message-targets.js';
import { messageOfPair } from '../../src/collectors/formats/pair-halves.js';
import { createMessageReader } from '../../src/collectors/formats/read-message.js';
import { appendRecord, createRangeBuffer, withoutStored } from '../../src/collectors/range-buffer.js';
import { createRecordDecoders } from '../../src/collectors/record-decoders.js';
import { type ModelMapping, NO_MAPPING } from '../../src/domain/mapping.js';
import type { CallHalf, Outcome, PredictionRow } from '../../src/domain/prediction.js';
import { AppError } from '../../src/errors.js';
import { parseEvents } from '../../src/http/events-body.js';
import { msgpackSlices } from '../../src/http/msgpack.js';
import { otlpSlices } from '../../src/http/otlp-body.js';
import { createBatchFuzzer } from './fuzz-batches.js';
import { createFuzzer, fixtureBodies, plainLines } from './fuzz-inputs.js';
import { createSilentLogger } from './silent-logger.js';

type TakenEvent =
  | { readonly row: PredictionRow }
  | { readonly ok: boolean; readonly value?: unknown; readonly text: string };

export interface FuzzResult {
  readonly inputs: number;
  /** Outcomes by kind, and bodies refused whole. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Processor time of the slowest input, in the thread that decodes. */
  readonly slowestMs: number;
  /** What it was: what became of a packed batch with it, and how its text begins. */
  readonly slowest: string;
  /** Inputs that took longer than `slowMs`, slowest first, the 20 slowest. */
  readonly slow: readonly SlowInput[];
  readonly largestRssMb: number;
}

export interface SlowInput {
  /** Its number: with the seed it says all. */
  readonly input: number;
  /** Where to begin to have it again as it was: a call's half is joined with the one before it. */
  readonly from: number;
  readonly ms: number;
  /** What became of a packed batch with it. */
  readonly batch: string;
  readonly bytesBase64: string;
}

/** Half of what is too long. */
const SLOW_MS = 500;
const MOST_KEPT = 20;

/** Of the calling thread, where the system tells it: that of the process has the collector of garbage and the compiler in it. */
function threadCpuMs(): number {
  try {
    return Number.parseInt(readFileSync('/proc/thread-self/schedstat', 'latin1'), 10) / 1e6;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  }
}

const HTTP = { kind: 'http', topic: '', partition: -1, offset: -1 };
/** Mostly text is read as text only. */
const TEXTS = Array.from({ length: 15 }, () => () => []);
const MAPPING: ModelMapping = {
  ...NO_MAPPING,
  version: '3',
  features: ['age', 'a.b'],
  featureNames: ['age', 'plan'],
};

/** Every decoder of every format on changed fixtures. Throws where one throws, or where what it says makes no sense. */
export async function fuzzDecoders(options: {
  readonly seed: number;
  /** Number of the first input, 0 by default. */
  readonly from?: number;
  readonly inputs: number;
  /** Processor time above which an input is kept. */
  readonly slowMs?: number;
  readonly progress?: (done: number) => void;
}): Promise<FuzzResult> {
  const fuzzer = createFuzzer(options.seed);
  const fixtures = fixtureBodies();
  const lines = plainLines();
  const shared = {
    featureKinds: (model: string) => (model === 'none' ? undefined : new Map([['age', 'numeric' as const]])),
    earliestMs: () => 0,
    wallClock: () => Date.UTC(2026, 0, 2),
  };
  const mappingOf = (model: string) => (model === 'churn' ? null : MAPPING);
  const read = createMessageReader({ ...shared, mappingOf });
  const targetsIn = createTargetReader(mappingOf);
  const decoders = createRecordDecoders({ ...shared, read, logger: createSilentLogger() });
  const reader = createEventReader({ ...shared, idOf: () => null });
  const quick = { ...reader, read: (bytes: Buffer, start: number) => reader.read(bytes, start, HTTP) };
  const fuzzBatch = createBatchFuzzer(fuzzer);
  const outcomes: Record<string, number> = {};
  const count = (kind: string) => {
    outcomes[kind] = (outcomes[kind] ?? 0) + 1;
  };
  let lastHalf: CallHalf | null = null;
  let input = 0;
  let halfInput: number | null = null;

  /** Erasure must know whose a message is that is read, and fail on none. */
  function checkTargets(found: readonly Outcome[], text: string): void {
    for (const outcome of found.slice(0, 3)) {
      if (outcome.kind === 'half') continue;
      const told = new Set(
        (targetsIn(text)?.(outcome.row.model) ?? []).map((one) =>
          one.kind === 'prediction' ? one.predictionId : `${one.tag}=${one.value}`,
        ),
      );
      if (outcome.kind === 'rejected') continue;
      const { row } = outcome;
      const tags = 'tags' in row ? row.tags.names.map((tag, at) => `${tag}=${row.tags.values[at]}`) : [];
      for (const wanted of [row.predictionId, ...tags])
        if (!told.has(wanted)) throw new Error(`nobody finds ${wanted} in ${text.slice(0, 500)}`);
    }
  }

  function check(found: readonly Outcome[], text: string): void {
    if (found.length === 0) throw new Error(`nothing became of ${text.slice(0, 500)}`);
    for (const outcome of found) {
      count(outcome.kind);
      if (outcome.kind === 'half') {
        if (lastHalf !== null) again(messageOfPair(outcome.half, lastHalf));
        lastHalf = outcome.half;
        halfInput = input;
      } else if (outcome.kind === 'rejected') {
        if (outcome.row.detail === '') throw new Error('rejected without a word');
      } else if (!Number.isSafeInteger(outcome.row.timestampMs) || outcome.row.predictionId === '')
        throw new Error(`a row of nonsense: ${JSON.stringify(outcome.row).slice(0, 500)}`);
    }
  }
  function again(value: unknown): void {
    const text = JSON.stringify(value);
    const found = read({ value, text, kind: 'prediction', source: HTTP, index: 0, defaultId: null });
    check(found, text);
    checkTargets(found, text);
  }

  /** What a request would do with the bytes under each content type that they could come with. */
  async function body(bytes: Buffer, kind: 'prediction' | 'label'): Promise<void> {
    const take = (slice: { events: Iterable<object> }) => {
      for (const event of slice.events as Iterable<TakenEvent>) {
        if ('row' in event) {
          count('quick');
          check([{ kind: 'prediction', row: event.row }], event.row.predictionId);
        } else if (!event.ok) count('unreadable');
        else {
          const { value, text } = event;
          const found = read({ value, text, kind, source: HTTP, index: 0, defaultId: null, model: 'churn' });
          check(found, text);
          checkTargets(found, text);
          for (const one of found)
            if (one.kind === 'rejected' && one.row.payload !== text) again(JSON.parse(one.row.payload));
        }
      }
    };
    for await (const slice of parseEvents(bytes, fuzzer.pick(['', 'application/x-ndjson']), quick))
      take(slice);
    const binary = [
      () => otlpSlices(bytes, true),
      () => otlpSlices(bytes, false),
      () => msgpackSlices(bytes),
    ];
    // Text, read as MessagePack, is a value for each byte: once in a while is enough.
    const isText = bytes[0] === 0x7b || bytes[0] === 0x5b;
    const tried = isText ? [fuzzer.pick([...binary, ...binary.slice(0, 2), ...TEXTS])] : binary;
    for (const slices of tried)
      try {
        for (const slice of slices()) take(slice);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        count(error.code);
      }
  }

  function record(bytes: Buffer, headers: Readonly<Record<string, string>>, offset: number): void {
    const buffer = createRangeBuffer(offset, []);
    const source = { kind: 'kafka', topic: 't@1', partition: 0, offset };
    const names = Object.entries(headers).map(([name, value]) => [
      name.replace(/^ce-/, fuzzer.pick(['ce_', ''])),
      value,
    ]);
    const kind = fuzzer.pick(['prediction', 'label'] as const);
    appendRecord(
      buffer,
      kind,
      { offset, value: bytes, headers: Object.fromEntries(names) },
      source,
      decoders,
    );
    const { predictions, labels, rejected, halves } = buffer;
    const rows = predictions.length + labels.length + rejected.length + halves.length;
    if (rows === 0) throw new Error('a record is lost');
    if (rejected.some(({ detail }) => detail.includes('please report')))
      throw new Error(`a decoder failed: ${rejected[0]?.detail} ${bytes.toString('utf8').slice(0, 500)}`);
    withoutStored(buffer, new Map([[offset, new Set([0])]]));
  }

  let slowestMs = 0;
  let slowest = '';
  let slow: SlowInput[] = [];
  let largestRssMb = 0;
  const { from = 0, slowMs = SLOW_MS } = options;
  for (let done = 0; done < options.inputs; done += 1) {
    input = from + done;
    fuzzer.begin(input);
    const joined = halfInput ?? input;
    const { bytes, headers } = fuzzer.pick([false, false, false, true]) ? lines : fuzzer.pick(fixtures);
    let changed = fuzzer.pick([true, false]) ? fuzzer.bytes(bytes) : bytes;
    try {
      changed = Buffer.from(JSON.stringify(fuzzer.value(JSON.parse(changed.toString('utf8')))) ?? '');
    } catch {
      changed = fuzzer.bytes(changed); // no JSON, or none any more
    }
    // Processor time: on a busy machine the clock counts what others do.
    const startMs = threadCpuMs();
    await body(changed, fuzzer.pick(['prediction', 'label']));
    record(changed, headers, input);
    const batch = input % 4 === 0 ? await fuzzBatch(changed) : 'no batch';
    count(batch);
    const ms = threadCpuMs() - startMs;
    if (ms > slowMs) {
      const found = {
        input,
        from: joined,
        ms: Math.round(ms),
        batch,
        bytesBase64: changed.toString('base64'),
      };
      slow = [...slow, found].sort((a, b) => b.ms - a.ms).slice(0, MOST_KEPT);
    }
    if (ms > slowestMs) {
      slowestMs = ms;
      slowest = `${batch}, ${changed.length} bytes: ${changed.subarray(0, 200).toString('latin1')}`;
    }
    if (done % 1_000 === 0) {
      largestRssMb = Math.max(largestRssMb, Math.round(process.memoryUsage.rss() / 2 ** 20));
      options.progress?.(done);
    }
  }
  return {
    inputs: options.inputs,
    outcomes,
    slowestMs: Math.round(slowestMs),
    slowest,
    slow,
    largestRssMb,
  };
}
