import { describe, expect, test } from '@jest/globals';
import type { ComparedSide, SideColumn, SideContent } from '../../../src/domain/compared-files.js';
import { areTooLong, isCounter, planColumns } from '../../../src/jobs/compare-columns.js';

/** A side of one file, whose columns hold these texts. */
function side(
  columns: Readonly<Record<string, { content: SideContent; values?: readonly string[] }>>,
): ComparedSide {
  const valuesOf = (name: string) => columns[name]?.values ?? ['1', '2'];
  const unused = () => Promise.reject(new TypeError('not needed to plan'));
  return {
    files: ['one.parquet'],
    rows: 100,
    columns: Object.entries(columns).map(([name, { content }]) => column(name, content)),
    numbers: unused,
    categoryCounts: unused,
    gappedNumbers: unused,
    groupRows: unused,
    sample: unused,
    timeExtent: unused,
    mistyped: async (name) => [
      { group: 0, rows: valuesOf(name).filter((text) => Number.isNaN(Number(text))).length },
    ],
    categories: async (name, limit) =>
      [...new Set(valuesOf(name))].slice(0, limit).map((value) => ({ value, rows: 1 })),
    distinct: async (names) =>
      new Map(
        names.map((name) => [
          name,
          { present: valuesOf(name).length, distinct: new Set(valuesOf(name)).size },
        ]),
      ),
  };
}

function column(name: string, content: SideContent, filesWithout = 0): SideColumn {
  return { name, content, integer: content === 'integer', untyped: false, filesWithout };
}

async function planOne(
  left: { content: SideContent; values?: readonly string[] },
  right: { content: SideContent; values?: readonly string[] },
) {
  const [planned] = await planColumns(side({ x: left }), side({ x: right }), null);
  return planned;
}

describe('planColumns', () => {
  test.each<[SideContent, SideContent, string]>([
    ['integer', 'decimal', 'numeric'],
    ['decimal', 'empty', 'numeric'],
    ['empty', 'text', 'categorical'],
    ['boolean', 'boolean', 'boolean'],
    ['boolean', 'integer', 'numeric'],
    ['text', 'text', 'categorical'],
  ])('%s against %s is %s', async (left, right, kind) => {
    expect(await planOne({ content: left }, { content: right })).toEqual({ name: 'x', kind, obstacle: null });
  });

  test.each<[SideContent, SideContent, RegExp]>([
    ['time', 'time', /times move on/],
    ['time', 'integer', /the reference has times, the current side whole numbers/],
    ['mixed', 'text', /disagree on its type/],
    ['other', 'other', /lists and objects/],
    ['empty', 'empty', /no values on either side/],
  ])('%s against %s cannot be compared', async (left, right, reason) => {
    expect((await planOne({ content: left }, { content: right }))?.obstacle).toMatch(reason);
  });

  test('text among numbers is numeric as long as half of it are numbers', async () => {
    const numbers = { content: 'decimal' } as const;
    const half = await planOne(numbers, { content: 'text', values: ['1', '2', 'a', 'b'] });
    expect(half).toMatchObject({ kind: 'numeric', obstacle: null });
    const most = await planOne(numbers, { content: 'text', values: ['1', 'a', 'b'] });
    expect(most?.obstacle).toMatch(/its type changed: the reference has numbers, the current side text/);
  });

  test('true and false as text are booleans', async () => {
    const truths = { content: 'boolean' } as const;
    expect(await planOne(truths, { content: 'text', values: ['True', 'False'] })).toMatchObject({
      kind: 'boolean',
    });
    expect((await planOne({ content: 'text', values: ['yes'] }, truths))?.obstacle).toMatch(/type changed/);
  });

  test('a text column of nothing but true and false is one of booleans, whatever came later', async () => {
    const truths = { content: 'text', values: ['True', 'False'] } as const;
    expect(await planOne(truths, { content: 'text', values: ['True', 'maybe'] })).toMatchObject({
      kind: 'boolean',
      obstacle: null,
    });
  });

  test.each([
    ['both untyped and gapped', true, [true, true], 'numeric'],
    ['one with other texts', true, [true, false], 'categorical'],
    ['typed as text', false, [true, true], 'categorical'],
  ])('numbers with words for gaps, %s', async (_what, untyped, gapped, kind) => {
    const [left, right] = gapped.map((isGapped): ComparedSide => {
      const own = side({ x: { content: 'text', values: ['1', 'NA', '2'] } });
      const columns = own.columns.map((each) => ({ ...each, untyped }));
      return { ...own, columns, gappedNumbers: async () => isGapped };
    });
    if (left === undefined || right === undefined) throw new TypeError('two sides');
    expect(await planColumns(left, right, null)).toEqual([{ name: 'x', kind, obstacle: null }]);
  });

  test('nulls of some type take the kind of the other side', async () => {
    expect(await planOne({ content: 'text' }, { content: 'integer', values: [] })).toMatchObject({
      kind: 'categorical',
      obstacle: null,
    });
  });

  test('texts that mostly occur once are identifiers, few rows of them are not', async () => {
    const ids = (count: number) => Array.from({ length: count }, (_, i) => `user ${i}`);
    expect((await planOne({ content: 'text', values: ids(51) }, { content: 'text' }))?.kind).toBe(
      'identifier',
    );
    expect((await planOne({ content: 'text', values: ids(50) }, { content: 'text' }))?.kind).toBe(
      'categorical',
    );
    const twice = [...ids(60), ...ids(60), ...ids(60)];
    expect((await planOne({ content: 'text', values: twice }, { content: 'text' }))?.kind).toBe(
      'categorical',
    );
  });

  test('texts that are times are told', async () => {
    const values = ['2024-01-01', '2024-01-02 10:00', '2024-01-03T10:00:00.5+01:00'];
    expect((await planOne({ content: 'text', values }, { content: 'text' }))?.kind).toBe('datetime');
    const one = values.slice(0, 1);
    expect((await planOne({ content: 'text', values: one }, { content: 'text' }))?.kind).toBe('datetime');
  });

  test('more values than are compared are said to be too many, not identifiers', async () => {
    const many: ComparedSide = {
      ...side({ x: { content: 'text' } }),
      distinct: async () => new Map([['x', { present: 3_000_000, distinct: 127_338 }]]),
    };
    expect(await planColumns(many, side({ x: { content: 'text' } }), null)).toEqual([
      {
        name: 'x',
        kind: 'categorical',
        obstacle: 'it has 127338 distinct values, and at most 100000 are compared: group them first',
      },
    ]);
  });

  test('columns of one side alone, and those that some files lack', async () => {
    const left = side({ a: { content: 'text' }, t: { content: 'time' }, both: { content: 'text' } });
    const right = side({ both: { content: 'text' }, b: { content: 'text' } });
    const lacking = { ...right, columns: [column('both', 'text', 1), column('b', 'text')] };
    expect((await planColumns(left, lacking, 't')).map(({ name, obstacle }) => [name, obstacle])).toEqual([
      ['a', 'only the reference has it'],
      ['both', '1 of 1 files of the current side lack it'],
      ['b', 'only the current files have it'],
    ]);
  });
});

describe('isCounter', () => {
  const from = (count: number, value: (i: number) => number) =>
    Float64Array.from({ length: count }, (_, i) => value(i));
  const whole = column('n', 'integer');

  test.each<[string, boolean, SideColumn, Float64Array]>([
    ['row numbers', true, whole, from(100, (i) => i + 7)],
    ['with a few gaps', true, whole, from(100, (i) => 3 * i)],
    ['but not amounts, far apart', false, whole, from(100, (i) => 1_000 * i)],
    ['but not fewer than a hundred', false, whole, from(99, (i) => i)],
    ['but not what repeats', false, whole, from(100, (i) => Math.floor(i / 2))],
    ['but not decimals', false, column('n', 'decimal'), from(100, (i) => i)],
    ['what is named id, far apart and few', true, column('id', 'integer'), from(3, (i) => 1e9 * i)],
  ])('%s: %s', (_what, expected, of, values) => {
    expect(isCounter(of.name, of, values)).toBe(expected);
  });
});

test('whole numbers beyond what a double tells apart are no measurements, as decimals they are', () => {
  const long = Float64Array.of(3, 2 ** 60, 2 ** 60 + 1024);
  expect(areTooLong(column('id', 'integer'), long)).toBe(true);
  expect(areTooLong(column('wei', 'decimal'), long)).toBe(false);
  expect(areTooLong(column('n', 'integer'), Float64Array.of(1, 2, 2 ** 60))).toBe(false);
  expect(areTooLong(column('n', 'integer'), new Float64Array(0))).toBe(false);
});
