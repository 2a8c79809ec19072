import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createDuplicateFinder } from '../../../src/store/duplicate-finder.js';
import { createIdentitySet } from '../../../src/store/identity-set.js';
import type { KnownIdentities } from '../../../src/store/known-identities.js';

interface Row {
  readonly id: string;
  /** Told apart by name alone: rows of one text have one hash. */
  readonly text: string;
}

function memoryKnown(): KnownIdentities {
  const set = createIdentitySet();
  return {
    note: (halves) =>
      [...Array(halves.length / 2).keys()].filter((at) =>
        set.add(halves[2 * at] as number, halves[2 * at + 1] as number),
      ),
    settled: () => undefined,
    close: async () => undefined,
  };
}

function setUp(known: KnownIdentities | null) {
  const stored = new Set<string>();
  const asked: number[] = [];
  const finder = createDuplicateFinder<Row>({
    hashedText: (row) => row.text,
    nameOf: (row) => row.id,
    storedNameOf: (row) => row.id,
    known,
    lookUp: async (_rows, hashes) => {
      asked.push(hashes.length);
      return stored;
    },
  });
  const write = async (rows: readonly Row[]) => {
    const duplicates = await finder.find(rows);
    for (const [index, row] of rows.entries()) if (!duplicates.has(index)) stored.add(row.id);
    return [...duplicates].sort((a, b) => a - b);
  };
  return { finder, write, asked, stored };
}

const row = (id: number): Row => ({ id: String(id), text: `hash ${id >> 1}` });

describe('duplicate finder', () => {
  test('answers the same with known identities as without, also for rows of one hash', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(30), { maxLength: 12 }), { maxLength: 6 }),
        async (batches) => {
          const [quick, plain] = [setUp(memoryKnown()), setUp(null)];
          for (const batch of batches) {
            const rows = batch.map(row);
            expect(await quick.write(rows)).toEqual(await plain.write(rows));
          }
        },
      ),
    );
  });

  test('asks the store about rows alone that are not certainly new, after what is on its way', async () => {
    const { finder, asked, stored } = setUp(memoryKnown());
    const order: string[] = [];
    const settled = async () => order.push('settled');
    expect(await finder.find([row(2), row(4), row(6)], settled)).toEqual(new Set());
    expect([asked, order]).toEqual([[], []]);
    stored.add('4');
    // 5 has the hash of 4, and is another row.
    expect(await finder.find([row(8), row(5), row(4)], settled)).toEqual(new Set([2]));
    expect([asked, order]).toEqual([[2], ['settled']]);
  });

  test('suspects rows that went into the store without a question', async () => {
    const { finder, stored } = setUp(memoryKnown());
    finder.note([row(2)]);
    stored.add('2');
    expect(await finder.find([row(2)])).toEqual(new Set([0]));
  });
});
