import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PredictionRow } from '../../../src/domain/prediction.js';
import { pushBorrowed, tallyOf } from '../../../src/domain/row-list.js';
import { hash64Into, rowKey } from '../../../src/store/identity.js';
import {
  joinPredictions,
  PackedPredictions,
  packPredictions,
} from '../../../src/store/packed-predictions.js';
import { storedText } from '../../../src/store/row-encoding.js';
import { named, predictionRow } from '../../support/rows.js';

const text = fc.oneof(fc.string({ maxLength: 8 }), fc.string({ unit: 'binary', maxLength: 200 }));
const namedOf = <Value>(value: fc.Arbitrary<Value>) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'ä', '__proto__'), value), { selector: ([name]) => name })
    .map(named);
const number = fc.double({ noNaN: true });
const anyRow: fc.Arbitrary<PredictionRow> = fc.record({
  model: fc.constantFrom('churn', 'délai'),
  modelVersion: fc.constantFrom('1', '2'),
  predictionId: text,
  rowIndex: fc.nat(0xffffffff),
  timestampMs: fc.integer({ min: -1e12, max: 4e12 }),
  numeric: namedOf(number),
  categorical: namedOf(text),
  prediction: fc.oneof(number, text, fc.constant(null)),
  proba: fc.option(number),
  probas: namedOf(number),
  latencyMs: fc.option(number),
  tags: namedOf(text),
  source: fc.record({
    kind: fc.constantFrom('http', 'kafka'),
    topic: fc.constantFrom('', 't@1'),
    partition: fc.integer({ min: -1, max: 50 }),
    offset: fc.integer({ min: -1, max: 2 ** 50 }),
  }),
});
const manyRows = fc.array(anyRow, { maxLength: 200, size: 'max' });

/** A row as the store keeps it. Its id stays as it came, since duplicates are told by that. */
function asStored(row: PredictionRow): PredictionRow {
  const texts = ({ names, values }: PredictionRow['tags']) => ({
    names: [...names],
    values: values.map(storedText),
  });
  return {
    ...row,
    numeric: { names: [...row.numeric.names], values: [...row.numeric.values] },
    probas: { names: [...row.probas.names], values: [...row.probas.values] },
    tags: texts(row.tags),
  };
}

describe('packed predictions', () => {
  test('give back the rows that were pushed, their hashes and counts', () => {
    fc.assert(
      fc.property(manyRows, (rows) => {
        const packed = new PackedPredictions();
        for (const row of rows) packed.push(row);
        expect([...packed].map(asStored)).toEqual(rows.map(asStored));
        expect(rows.map((_, index) => packed.at(index)?.predictionId)).toEqual(
          rows.map((row) => row.predictionId),
        );
        expect(packed.at(rows.length)).toBeUndefined();
        const hashes = new Uint32Array(2 * rows.length);
        for (const [index, row] of rows.entries()) hash64Into(rowKey(row), hashes, 2 * index);
        expect(packed.hashes()).toEqual(hashes);
        expect([...packed.tally.versions()]).toEqual([...tallyOf(rows).versions()]);
      }),
      { numRuns: 20 },
    );
  });

  test('take rows that are overwritten, between others', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyRow, fc.boolean()), { maxLength: 200, size: 'max' }), (pushes) => {
        const packed = new PackedPredictions();
        const plain: PredictionRow[] = [];
        const borrowed = { ...predictionRow('borrowed'), plainId: null };
        for (const [row, isBorrowed] of pushes) {
          for (const list of [packed, plain]) {
            if (isBorrowed) pushBorrowed(list, Object.assign(borrowed, row));
            else list.push(row);
          }
          Object.assign(borrowed, predictionRow('overwritten'));
        }
        const rows = pushes.map(([row]) => asStored(row));
        expect([...packed].map(asStored)).toEqual(rows);
        expect(plain.map(asStored)).toEqual(rows);
        expect(packed.length).toBe(rows.length);
      }),
      { numRuns: 20 },
    );
  });

  test('join in the order of the lists, packed or not, and leave them as they are', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(manyRows, fc.boolean()), { maxLength: 5 }), (lists) => {
        const made = lists.map(([rows, isPacked]) => {
          if (!isPacked) return rows;
          const packed = new PackedPredictions();
          for (const row of rows) packed.push(row);
          return packed;
        });
        const joined = joinPredictions(made);
        const all = lists.flatMap(([rows]) => rows);
        expect([...joined].map((row) => row.predictionId)).toEqual(all.map((row) => row.predictionId));
        expect([...tallyOf(joined).versions()]).toEqual([...tallyOf(all).versions()]);
        expect(made.map((list) => list.length)).toEqual(lists.map(([rows]) => rows.length));
      }),
      { numRuns: 20 },
    );
  });

  test('are the same blocks for the same rows, however often they are asked for', async () => {
    const rows = Array.from({ length: 1_000 }, (_, index) => predictionRow(`r${index}`));
    const [one, other] = [await packPredictions(rows), await packPredictions(rows)];
    const bytes = (packed: PackedPredictions) =>
      packed.blocks().map((block) => Buffer.concat(block.finish(5)));
    expect(bytes(one)).toEqual(bytes(other));
    expect(bytes(one)).toEqual(bytes(one));
  });

  test('give their memory to later ones, which hold their own rows', async () => {
    const rowsOf = (prefix: string) =>
      Array.from({ length: 3_000 }, (_, index) => predictionRow(`${prefix}${index}`, { latencyMs: index }));
    const bytesOf = (packed: PackedPredictions) =>
      Buffer.concat(packed.blocks().flatMap((block) => block.finish(5)));
    const expected = bytesOf(await packPredictions(rowsOf('b')));
    const before = await packPredictions(rowsOf('long before '));
    before.release();
    expect(before.length).toBe(3_000);
    expect([...before.tally.versions()]).toMatchObject([{ rows: 3_000 }]);
    expect(bytesOf(await packPredictions(rowsOf('b')))).toEqual(expected);
  });

  test('begin another block when one is large', async () => {
    const wide = predictionRow('wide', { tags: named([['text', 'x'.repeat(1_000_000)]]) });
    const packed = await packPredictions(Array.from({ length: 100 }, () => wide));
    const sizes = packed.blocks().map((block) => block.size());
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThan(64 * 1_024 * 1_024);
  });
});
