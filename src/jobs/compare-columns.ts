import type { ComparedSide, SideColumn, SideContent } from '../domain/compared-files.js';
import type { ComparedKind } from '../domain/comparison.js';
import { columnOfRole } from '../domain/reference-columns.js';

export interface PlannedColumn {
  readonly name: string;
  readonly kind: ComparedKind;
  /** Why the column cannot be compared, for people; null when it can. */
  readonly obstacle: string | null;
}

/** Beyond so many distinct texts a column is not compared. */
export const MAX_CATEGORIES = 100_000;
/** A text column with more distinct values than this, most of which occur once, holds identifiers or free text. */
const MAX_RARE = 50;
/** Text columns whose distinct values are counted in one reading. */
const COLUMNS_PER_READING = 8;
const LEAST_ROWS_OF_A_COUNTER = 100;

const WORDS: Readonly<Record<SideContent, string>> = {
  integer: 'whole numbers',
  decimal: 'numbers',
  boolean: 'true and false',
  text: 'text',
  time: 'times',
  mixed: 'files that disagree on its type',
  empty: 'no values',
  other: 'lists or objects',
};

const isNumber = (content: SideContent) => content === 'integer' || content === 'decimal';
const TIME_TEXT = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|\s?[+-]\d{2}:?\d{2})?)?$/;
const isTruth = (text: string) => /^(?:true|false)$/i.test(text);

/** Decides from both sides what each column is, in the reference's order, then what only the current side has. */
export async function planColumns(
  reference: ComparedSide,
  current: ComparedSide,
  timeColumn: string | null,
): Promise<PlannedColumn[]> {
  const left = new Map(reference.columns.map((column) => [column.name, column]));
  const right = new Map(current.columns.map((column) => [column.name, column]));
  const names = [...new Set([...left.keys(), ...right.keys()])].filter((name) => name !== timeColumn);
  const planned: PlannedColumn[] = [];
  for (const name of names)
    planned.push(await planColumn(name, left.get(name), right.get(name), reference, current));
  return lookIntoTexts(planned, reference);
}

async function planColumn(
  name: string,
  left: SideColumn | undefined,
  right: SideColumn | undefined,
  reference: ComparedSide,
  current: ComparedSide,
): Promise<PlannedColumn> {
  const cannot = (obstacle: string, kind: ComparedKind = 'unknown') => ({ name, kind, obstacle });
  const can = (kind: ComparedKind) => ({ name, kind, obstacle: null });
  if (left === undefined) return cannot('only the current files have it');
  if (right === undefined) return cannot('only the reference has it');
  for (const [side, column, files] of [
    ['reference', left, reference.files],
    ['current side', right, current.files],
  ] as const)
    if (column.filesWithout > 0)
      return cannot(`${column.filesWithout} of ${files.length} files of the ${side} lack it`);
  const contents = [left.content, right.content];
  const has = (content: SideContent) => contents.includes(content);
  if (has('other')) return cannot('lists and objects are not compared');
  if (has('mixed')) return cannot(`one side has ${WORDS.mixed}`);
  if (left.content === 'empty' && right.content === 'empty') return cannot('it has no values on either side');
  const known = contents.filter((content) => content !== 'empty');
  const changed = cannot(
    `its type changed: the reference has ${WORDS[left.content]}, the current side ${WORDS[right.content]}`,
  );
  if (known.every(isNumber)) return can('numeric');
  if (known.every((content) => content === 'boolean')) return can('boolean');
  if (known.every((content) => content === 'time'))
    return cannot('times move on by themselves: compare a part of them, such as the hour', 'datetime');
  if (known.every((content) => content === 'text'))
    return can((await areGappedNumbers([reference, current], name)) ? 'numeric' : 'categorical');
  // A column of nothing but nulls has a type all the same, which says nothing.
  if (!(await hasValues(reference, name))) return can(kindOf(right.content));
  if (!(await hasValues(current, name))) return can(kindOf(left.content));
  if (has('time')) return changed;
  if (!has('text')) return can('numeric');
  const side = left.content === 'text' ? reference : current;
  if (has('boolean'))
    return (await side.categories(name, 10)).every(({ value }) => isTruth(value)) ? can('boolean') : changed;
  return (await mostlyNumbers(side, name)) ? can('numeric') : changed;
}

async function hasValues(side: ComparedSide, name: string): Promise<boolean> {
  return ((await side.distinct([name])).get(name)?.present ?? 0) > 0;
}

function kindOf(content: SideContent): ComparedKind {
  if (isNumber(content)) return 'numeric';
  return content === 'boolean' ? 'boolean' : 'categorical';
}

async function mostlyNumbers(side: ComparedSide, name: string): Promise<boolean> {
  const present = (await side.distinct([name])).get(name)?.present ?? 0;
  const mistyped = (await side.mistyped(name, null)).reduce((sum, { rows }) => sum + rows, 0);
  return mistyped <= present / 2;
}

/** Numbers with words such as NA between them, as R writes gaps into CSV, are no texts. */
async function areGappedNumbers(sides: readonly ComparedSide[], name: string): Promise<boolean> {
  for (const side of sides) {
    const untyped = side.columns.some((column) => column.name === name && column.untyped);
    if (!untyped || !(await side.gappedNumbers(name))) return false;
  }
  return true;
}

/** Text columns with about as many values as rows, and texts that are times, are no categories; True and False are booleans. */
async function lookIntoTexts(
  planned: readonly PlannedColumn[],
  reference: ComparedSide,
): Promise<PlannedColumn[]> {
  const texts = planned.filter(({ kind }) => kind === 'categorical').map(({ name }) => name);
  const found = new Map<string, Pick<PlannedColumn, 'kind' | 'obstacle'>>();
  for (let at = 0; at < texts.length; at += COLUMNS_PER_READING) {
    const counted = await reference.distinct(texts.slice(at, at + COLUMNS_PER_READING));
    for (const [name, { present, distinct }] of counted) {
      const rare = distinct > MAX_RARE && distinct > present / 2;
      const some = distinct > 0 ? (await reference.categories(name, 20)).map(({ value }) => value) : [];
      if (some.length > 0 && some.every((value) => TIME_TEXT.test(value)))
        found.set(name, {
          kind: 'datetime',
          obstacle:
            'it holds times as text, and times move on by themselves: compare a part of them, such as the hour',
        });
      else if (some.length > 0 && some.every(isTruth)) found.set(name, { kind: 'boolean', obstacle: null });
      else if (rare)
        found.set(name, {
          kind: 'identifier',
          obstacle: `it has ${distinct} distinct values in ${present} rows of the reference: identifiers or free text have no shares to compare`,
        });
      else if (distinct > MAX_CATEGORIES)
        found.set(name, {
          kind: 'categorical',
          obstacle: `it has ${distinct} distinct values, and at most ${MAX_CATEGORIES} are compared: group them first`,
        });
    }
  }
  return planned.map((column) => ({ ...column, ...found.get(column.name) }));
}

/** Most beyond what a double tells apart: nobody measures or counts so finely. */
export function areTooLong(column: SideColumn, sorted: Float64Array): boolean {
  return column.integer && Math.abs(sorted[sorted.length >> 1] ?? 0) > Number.MAX_SAFE_INTEGER;
}

/** Whole numbers that each occur once, and leave few gaps or are named like an identifier: a counter, which only ever moves on. */
export function isCounter(name: string, column: SideColumn, sorted: Float64Array): boolean {
  const named = columnOfRole('predictionId', new Set([name])) === name;
  if (!column.integer || sorted.length < (named ? 2 : LEAST_ROWS_OF_A_COUNTER)) return false;
  const width = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
  if (!named && width >= 4 * sorted.length) return false;
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) return false;
  return true;
}
