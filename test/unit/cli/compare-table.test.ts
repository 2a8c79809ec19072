import { describe, expect, test } from '@jest/globals';
import { parseWindowLength, usageProblem } from '../../../src/cli/compare-options.js';
import { columnsTable, histogram, paintsFor, partsTable } from '../../../src/cli/compare-table.js';
import type { ComparedColumn, ComparedTogether } from '../../../src/domain/comparison.js';
import type { Grid, Profile } from '../../../src/domain/profile.js';
import { comparisonDocument, datasetOf, driftedParts } from '../../../src/jobs/comparison.js';
import { partsSentence, summarySentence } from '../../../src/views/comparison-words.js';
import { verdictOf } from '../../support/outcomes.js';

const GRID: Grid = { kind: 'categorical', feature: 'c0', categories: ['a', 'b'], headSize: 2 };
const profile = (counts: readonly number[]): Profile => ({
  feature: 'c0',
  kind: 'categorical',
  rows: counts.reduce((sum, count) => sum + count, 0),
  missing: 0,
  nonFinite: 0,
  mistyped: 0,
  counts,
  offsets: [],
  min: null,
  max: null,
});

function compared(name: string, parts: Partial<ComparedColumn>): ComparedColumn {
  return {
    column: name,
    kind: 'categorical',
    status: 'stable',
    material: false,
    primary: null,
    verdicts: [],
    missing: { reference: 0, current: 0 },
    explanation: `${name}.`,
    counts: { grid: GRID, reference: profile([78, 22, 0, 0]), current: profile([12, 64, 0, 24]) },
    ...parts,
  };
}

const COLUMNS = [
  compared('plan', { status: 'drifted', material: true }),
  compared('city', { status: 'drifted' }),
  compared('tier', {}),
  compared('user', { kind: 'identifier', status: 'undecided', counts: null }),
];

describe('the table of columns', () => {
  test('has a line for each column with its verdict and both distributions on one scale', () => {
    const [header, , plan, city, tier, user] = columnsTable(COLUMNS, paintsFor(false)).split('\n');
    expect(header).toMatch(/^feature +kind +test +statistic +effect +p adj\. +verdict +reference │ current$/);
    expect(plan).toMatch(/^plan +categorical .* drifted +█▃ +│ ▂▇▃$/);
    expect(city).toContain('drifted, small');
    expect(tier).toContain('stable');
    expect(user).toMatch(/^user +identifier .* undecided$/);
  });

  test('has colours only where they were asked for', () => {
    expect(columnsTable(COLUMNS, paintsFor(false))).not.toContain('\u001b');
    const [, , plan = ''] = columnsTable(COLUMNS, paintsFor(true)).split('\n');
    expect([plan.startsWith('\u001b[31mplan'), plan.endsWith('\u001b[0m')]).toEqual([true, true]);
  });

  test('draws nothing for what was not counted, and blanks for what is not there', () => {
    expect(histogram(COLUMNS[3] as ComparedColumn)).toBe('');
    const nothing = compared('x', {
      counts: { grid: GRID, reference: profile([1, 0, 0, 0]), current: profile([0, 0, 0, 0]) },
    });
    expect(histogram(nothing)).toMatch(/^█ +│$/);
  });
});

describe('a histogram of numbers', () => {
  const grid: Grid = {
    kind: 'numeric',
    feature: 'c0',
    cutPoints: Array.from({ length: 20 }, (_, i) => i),
    quantum: 1,
  };
  const numbers = (counts: ReadonlyMap<number, number>, ends: { min: number; max: number }): Profile => {
    const cells = Array.from({ length: 41 }, (_, cell) => counts.get(cell) ?? 0);
    return { ...profile(cells), kind: 'numeric', ...ends };
  };
  const even = new Map(Array.from({ length: 20 }, (_, i) => [2 * i + 1, 10]));
  const reference = numbers(even, { min: 0, max: 19 });
  const drawn = (current: Profile) =>
    histogram(compared('x', { kind: 'numeric', counts: { grid, reference, current } }));

  test('of a reference without values has no ends that values lie beyond', () => {
    const empty: Grid = { kind: 'numeric', feature: 'c0', cutPoints: [], quantum: 1 };
    const none: Profile = { ...profile([0]), kind: 'numeric', rows: 9, missing: 9 };
    const all: Profile = { ...profile([9]), kind: 'numeric', min: -2, max: 5 };
    const counts = { grid: empty, reference: none, current: all };
    expect(histogram(compared('x', { kind: 'numeric', counts }))).toMatch(/^ +│ █+$/);
  });

  test('sets what lies beyond the reference off as an end cell, not as a plateau', () => {
    const far = numbers(new Map([...even, [40, 400]]), { min: 0, max: 1_000 });
    expect(drawn(far)).toMatch(/^[▁▂]{10}› {2}│ ▁{10}›█$/);
    const both = numbers(new Map([...even, [0, 50], [40, 50]]), { min: -1_000, max: 1_000 });
    expect(drawn(both)).toMatch(/^ ‹[^›]{10}› {2}│ .‹[^›]{10}›.$/);
    const gone = numbers(new Map([[40, 9]]), { min: 500, max: 500 });
    expect(drawn(gone)).toMatch(/^▁{10}› {2}│ {12}›█$|^[▁▂]{10}› {2}│ {11}›█$/);
  });

  test('has no end cells where nothing lies beyond', () => {
    expect(drawn(reference)).toMatch(/^█{10} │ █{10}$/);
  });
});

describe('which parts drifted', () => {
  const part = (name: string, columns: readonly ComparedColumn[]) => ({
    name,
    window: null,
    rows: 10,
    referenceRows: 10,
    columns,
  });
  const window = (name: string, adjustedPValue: number) =>
    part(name, [
      compared('x', {
        status: 'drifted',
        verdicts: [verdictOf({ status: 'drifted', adjustedPValue }), verdictOf({ role: 'descriptive' })],
      }),
    ]);

  test('windows at the level of all together, segments as they are', () => {
    const parts = [window('a', 0.04), window('b', 0.02), window('c', 1e-9)];
    const named = (found: readonly { name: string }[]) => found.map(({ name }) => name);
    const none = { level: 0.05, windows: null, segments: null };
    expect(driftedParts(none)).toEqual([]);
    expect(named(driftedParts({ ...none, windows: { null: 'iid', parts } }))).toEqual(['c']);
    expect(named(driftedParts({ ...none, windows: { null: 'iid', parts: parts.slice(0, 1) } }))).toEqual([
      'a',
    ]);
    const segments = { column: 's', parts: [...parts, part('d', [compared('x', {})])] };
    expect(named(driftedParts({ ...none, segments }))).toEqual(['a', 'b', 'c']);
    expect(partsSentence({ ...none, segments }, 3)).toMatch(
      /^Drift in 3 of 4 segments \(level 5.% for all of them together\)\.$/,
    );
    expect(partsSentence(none, 0)).toBeNull();
  });
});

describe('the table of windows', () => {
  test('names what drifted, the material ones first', () => {
    const text = partsTable(
      'window',
      [
        { name: '1-10', window: null, rows: 10, referenceRows: 9, columns: [...COLUMNS].reverse() },
        { name: '11-20', window: null, rows: 10, referenceRows: 9, columns: [compared('tier', {})] },
      ],
      paintsFor(false),
    );
    expect(text.split('\n').slice(2)).toEqual([
      expect.stringMatching(/^1-10 +10 +2 +1 +plan, city$/),
      expect.stringMatching(/^11-20 +10 +0 +0$/),
    ]);
  });
});

describe('the answer as a whole', () => {
  const whole = (columns: readonly ComparedColumn[], together: ComparedTogether | null = null) => ({
    reference: { files: ['r.csv'], rows: 9, hash: 'h' },
    current: { files: ['c.csv'], rows: 10 },
    level: 0.05,
    columns,
    dataset: datasetOf(columns, together),
    together,
    windows: null,
    segments: null,
    notes: [],
  });

  test('is drifted if any column is, undecided only if all are', () => {
    expect(datasetOf(COLUMNS)).toEqual({ status: 'drifted', drifted: 2, undecided: 1 });
    expect(datasetOf(COLUMNS.slice(2))).toEqual({ status: 'stable', drifted: 0, undecided: 1 });
    expect(datasetOf(COLUMNS.slice(3))).toEqual({ status: 'undecided', drifted: 0, undecided: 1 });
  });

  test('in a sentence', () => {
    expect(summarySentence(whole(COLUMNS))).toMatch(
      /^Drift in 2 of 4 columns, in 1 by enough to matter, 1 undecided/,
    );
    expect(summarySentence(whole(COLUMNS.slice(2)))).toMatch(/^No drift in 1 column, 1 undecided/);
    expect(summarySentence(whole(COLUMNS.slice(3)))).toBe('Undecided: none of 1 column could be compared.');
  });

  test('is drifted where only columns together are', () => {
    const verdict = verdictOf({ feature: '', detector: 'domainClassifier' });
    const comparison = whole(COLUMNS.slice(2), { verdict, explanation: 'Columns go together otherwise.' });
    expect(comparison.dataset).toEqual({ status: 'drifted', drifted: 0, undecided: 1 });
    expect(summarySentence(comparison)).toMatch(
      /^Drift in 0 of 2 columns, in 0 by enough to matter, and in how columns go together, 1 undecided/,
    );
    expect(comparisonDocument(comparison)).toMatchObject({
      together: {
        status: 'drifted',
        detector: 'domainClassifier',
        pairs: [],
        explanation: 'Columns go together otherwise.',
      },
    });
  });

  test('as a document, without windows where none were asked for', () => {
    expect(Object.keys(comparisonDocument(whole(COLUMNS)))).toEqual([
      'reference',
      'current',
      'columns',
      'dataset',
    ]);
  });
});

describe('options', () => {
  test.each<[string, number | null]>([
    ['1d', 86_400_000],
    ['6h', 21_600_000],
    ['30m', 1_800_000],
    ['2 w', 1_209_600_000],
    ['0d', null],
    ['d', null],
    ['1 month', null],
    ['-1d', null],
  ])('a length of %s is %s ms', (text, expected) => {
    expect(parseWindowLength(text)).toBe(expected);
  });

  test('exclude each other', () => {
    expect(usageProblem({ level: 0.05 })).toBeNull();
    expect(usageProblem({ level: 0.05, windowRows: 5, segment: 'c' })).toMatch(/choose one/);
    expect(usageProblem({ level: 0.05, window: 5 })).toMatch(/--time/);
    expect(usageProblem({ level: 0.05, window: 5, time: 't' })).toBeNull();
  });
});
