import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodePrediction } from '../../../../src/collectors/decode-prediction.js';
import { createEventReader } from '../../../../src/collectors/event-reader.js';
import type { PredictionRow, RowSource } from '../../../../src/domain/prediction.js';
import { keptRow } from '../../../../src/domain/row-list.js';

const source: RowSource = { kind: 'http', topic: '', partition: -1, offset: -1 };
const nowMs = Date.UTC(2026, 0, 2);
const kinds = new Map<string, 'numeric' | 'categorical'>([
  ['age', 'numeric'],
  ['city', 'categorical'],
  ['zip', 'categorical'],
]);
const shared = {
  featureKinds: (model: string) => (model === 'gone' ? undefined : kinds),
  earliestMs: () => 0,
};
const open = () => createEventReader({ ...shared, wallClock: () => nowMs, idOf: () => null });

interface Event {
  readonly prediction_id: string;
  readonly model: string;
  readonly model_version: string;
  readonly timestamp: string;
  readonly features: Readonly<Record<string, unknown>>;
  readonly prediction: unknown;
  readonly tags: Readonly<Record<string, unknown>>;
}
const eventOf = (index: number, fields: Partial<Event> = {}): Event => ({
  prediction_id: `r${index}`,
  model: 'churn',
  model_version: '3',
  timestamp: '2026-01-01T00:00:00Z',
  features: { age: index % 90, city: 'Oslo', zip: 75 },
  prediction: 1,
  tags: { region: 'eu' },
  ...fields,
});

function ordinary(event: Event): PredictionRow | null {
  const decoded = decodePrediction(event, { ...shared, nowMs, source, defaultId: null });
  return decoded.ok ? decoded.row : null;
}

/** What one reader makes of the lines of a body; null where it leaves a line to others. */
function readAll(reader: ReturnType<typeof open>, events: readonly Event[]): (PredictionRow | null)[] {
  const lines = events.map((event) => Buffer.from(`${JSON.stringify(event)}\n`));
  const body = Buffer.concat(lines);
  reader.begin();
  let start = 0;
  return lines.map((line) => {
    const from = start;
    start += line.length;
    const row = reader.read(body, from, source);
    if (row !== null && reader.end() === start - 1) return keptRow(row);
    reader.learn(body, from, start - 1);
    return null;
  });
}

/** All rows that were read are right, and most of them were read. */
function expectRows(found: readonly (PredictionRow | null)[], events: readonly Event[], least: number): void {
  const read = found.flatMap((row, index) => (row === null ? [] : [{ row, event: events[index] as Event }]));
  expect(read.map(({ row }) => row)).toEqual(read.map(({ event }) => ordinary(event)));
  expect(read.length).toBeGreaterThanOrEqual(least);
}

describe('one reader over many events', () => {
  it('keeps apart more texts than it remembers, in one event and over many', () => {
    const text = fc.nat(20_000).map((number) => `t${number}`);
    const long = fc.string({ minLength: 30, maxLength: 35, unit: fc.constantFrom('a', 'b') });
    const value = fc.oneof(
      { weight: 6, arbitrary: text },
      long,
      fc.constantFrom(null, true, false, 0.1, -0, 1e21),
    );
    const event = fc
      .tuple(value, value, value, value, fc.constantFrom('yes', 'no', 0.5))
      .map(([city, zip, region, other, prediction]) =>
        eventOf(1, {
          features: { age: 1, city, zip },
          tags: { region, other },
          prediction: prediction as unknown,
        }),
      );
    const reader = open();
    readAll(reader, [eventOf(0, { tags: { region: 'eu', other: 'x' } })]);
    fc.assert(
      fc.property(fc.array(event, { minLength: 200, maxLength: 400 }), (events) => {
        // All that are valid: a tag is none with a number beyond 2^53.
        const valid = events.filter((one) => ordinary(one) !== null);
        expectRows(readAll(reader, events), events, valid.length);
      }),
      // Shrinking hundreds of events would take hours.
      { numRuns: 40, endOnFailure: true },
    );
  });

  it('reads events that stand across what it takes at once, and leaves those that are longer', () => {
    const events = Array.from({ length: 600 }, (_, index) =>
      eventOf(index, { tags: { region: 'x'.repeat(index % 7 === 0 ? 8_000 : 300 * (index % 11)) } }),
    );
    const reader = open();
    readAll(reader, [eventOf(0)]);
    expectRows(readAll(reader, events), events, events.length);
    const wide = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`t${index}`, 'y'.repeat(8_000)]),
    );
    const large = eventOf(1, { tags: wide });
    expect(
      readAll(reader, [large, eventOf(2), large, eventOf(3)]).map((row) => row?.predictionId ?? null),
    ).toEqual([null, 'r2', null, 'r3']);
  });

  it('tells forms, models and versions apart that come in turns', () => {
    const tags = (form: number) =>
      Object.fromEntries(Array.from({ length: form }, (_, index) => [`t${index}`, form]));
    const events = Array.from({ length: 2_000 }, (_, index) =>
      eventOf(index, {
        model: ['churn', 'fraud', 'gone'][index % 3] as string,
        model_version: String(1 + (index % 4)),
        tags: tags(index % 10),
      }),
    );
    const reader = open();
    const found = readAll(reader, events);
    // More forms than are remembered push each other out; of those of an unknown model none is read.
    expectRows(found, events, 1);
    expect(found.filter((_, index) => events[index]?.model === 'gone')).toEqual(Array(666).fill(null));
    const few = events.filter((_, index) => index % 10 < 4);
    const fresh = open();
    readAll(fresh, few.slice(0, 100));
    expectRows(readAll(fresh, few), few, Math.floor(0.6 * few.length));
  });

  it('knows nothing of an event that failed in its middle', () => {
    const reader = open();
    readAll(reader, [eventOf(0)]);
    const events = [
      eventOf(1, { features: { age: 1, city: 'Lima', zip: 'A1' }, prediction: null }),
      eventOf(2, { features: { age: 1, city: 'Lima', zip: 'A1' } }),
      eventOf(3, { features: { age: 1, city: 'Rome', zip: 'B2' }, timestamp: 'never' }),
      eventOf(4, { features: { age: 1, city: 'Rome', zip: 'B2' } }),
    ];
    const found = readAll(reader, events);
    expect(found.map((row) => row?.predictionId ?? null)).toEqual([null, 'r2', null, 'r4']);
    expectRows(found, events, 2);
  });

  it('knows nothing of an event in which what is registered could not be told', () => {
    let fails = false;
    const reader = createEventReader({
      featureKinds: () => {
        if (fails) throw new Error('no registry');
        return kinds;
      },
      earliestMs: () => 0,
      wallClock: () => nowMs,
      idOf: () => null,
    });
    // Tags come before the features: they are read when kinds are asked for.
    const turned = ({ features, ...event }: Event) => ({ ...event, features });
    readAll(reader, [turned(eventOf(0))]);
    fails = true;
    expect(() => readAll(reader, [turned(eventOf(1, { tags: { region: 'asia' } }))])).toThrow('no registry');
    fails = false;
    const events = [turned(eventOf(2, { tags: { region: 'asia' } })), turned(eventOf(3))];
    expectRows(readAll(reader, events), events, 2);
  });
});
