import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createEventReader } from '../../../src/collectors/event-reader.js';
import { createMessageReader } from '../../../src/collectors/formats/read-message.js';
import type { Outcome } from '../../../src/domain/prediction.js';
import { type BorrowedPrediction, keptRow } from '../../../src/domain/row-list.js';
import { parseEvents, type QuickReader } from '../../../src/http/events-body.js';
import { HTTP_SOURCE } from '../../../src/http/intake.js';
import { context } from '../../support/reader-events.js';

const { featureKinds, earliestMs, nowMs } = context;
const shared = { featureKinds, earliestMs, wallClock: () => nowMs };
const read = createMessageReader(shared);

/** How one sender writes: the order of its keys, and its white space. */
interface Layout {
  readonly keys: readonly string[];
  readonly features: readonly string[];
  readonly gap: string;
}
const KEYS = ['prediction_id', 'model', 'model_version', 'timestamp', 'features', 'prediction'];
const layout: fc.Arbitrary<Layout> = fc.record({
  keys: fc
    .constantFrom([], [], ['note'], ['type'], ['specversion', 'type'])
    .chain((more: readonly string[]) => {
      const all = [...KEYS, ...more];
      return fc.oneof(
        { weight: 3, arbitrary: fc.constant(all) },
        { weight: 1, arbitrary: fc.shuffledSubarray(all, { minLength: all.length }) },
      );
    }),
  // Of one length, so that one event can stand where another one stood.
  features: fc.shuffledSubarray(['age', 'dur', 'inc'], { minLength: 2 }),
  gap: fc.constantFrom('', ' '),
});

function write({ keys, features, gap }: Layout, number: number): string {
  const object = (members: readonly (readonly [string, string])[]) =>
    `{${members.map(([key, value]) => `"${key}":${gap}${value}`).join(`,${gap}`)}}`;
  const values: Record<string, string> = { age: `${number}`, dur: `"${number}"`, inc: `${number + 0.5}` };
  const fields: Record<string, string> = {
    prediction_id: `"r${number}"`,
    model: '"churn"',
    model_version: '"3"',
    timestamp: '"2026-01-01T00:00:00.123Z"',
    features: object(features.map((name) => [name, values[name] as string])),
    prediction: `${number % 2}`,
    note: '"n"',
    specversion: '"1.0"',
    type: '"t"',
  };
  return object(keys.map((key) => [key, fields[key] as string]));
}

async function outcomesOf(body: Buffer, quick: QuickReader<BorrowedPrediction> | null) {
  const outcomes: (Outcome | string)[] = [];
  let quickly = 0;
  for await (const { events } of parseEvents(body, 'application/x-ndjson', quick))
    for (const event of events)
      if ('row' in event) {
        quickly += 1;
        outcomes.push({ kind: 'prediction', row: keptRow(event.row) });
      } else if (event.ok) {
        const { value, text } = event;
        outcomes.push(
          ...read({ value, text, kind: 'prediction', source: HTTP_SOURCE, index: 0, defaultId: null }),
        );
      } else outcomes.push(`${event.reason}: ${event.text}`);
  return { outcomes, quickly };
}

describe('rows that are read from their bytes', () => {
  it('are those of parsing and decoding, whatever came before them in the same memory', async () => {
    const memory = Buffer.alloc(64 * 1_024);
    let all = 0;
    const line = fc.tuple(
      fc.nat(),
      fc.integer({ min: 10, max: 99 }),
      fc.constantFrom('\n', '\n', '\r\n', ' \n', '\n\n ', ']\n'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(layout, { minLength: 1, maxLength: 4 }),
        fc.array(fc.array(line, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 5 }),
        async (layouts, bodies) => {
          const reader = createEventReader({ ...shared, idOf: () => null });
          const quick = {
            ...reader,
            read: (bytes: Buffer, start: number) => reader.read(bytes, start, HTTP_SOURCE),
          };
          for (const lines of bodies) {
            const text = lines
              .map(([which, number, end]) => write(layouts[which % layouts.length] as Layout, number) + end)
              .join('');
            const body = memory.subarray(0, memory.write(text));
            const { outcomes, quickly } = await outcomesOf(body, quick);
            expect(outcomes).toEqual((await outcomesOf(Buffer.from(text), null)).outcomes);
            all += quickly;
          }
        },
      ),
      { numRuns: 2_000, endOnFailure: true },
    );
    // A reader that reads nothing would pass.
    expect(all).toBeGreaterThan(1_000);
  });
});
