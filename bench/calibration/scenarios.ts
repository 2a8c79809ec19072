import { type Change, COLUMNS } from './columns.js';
import { type Planted, UNTOUCHED } from './counting.js';

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly flipsCorrelation: boolean;
  /** Column index → what is planted there. Which columns is left to chance: no test has favourites. */
  readonly plant: (random: () => number) => ReadonlyMap<number, Planted>;
}

const SHIFT: Change = { shift: 0.25, scale: 1 };
const SCALE: Change = { shift: 0, scale: 1.25 };

const indicesOf = (kind: 'numeric' | 'categorical') =>
  COLUMNS.flatMap((column, index) => (column.kind === kind ? [index] : []));

function choose(indices: readonly number[], count: number, random: () => number): number[] {
  const left = [...indices];
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)[0] ?? 0);
}

const scenario = (
  name: string,
  title: string,
  plant: (random: () => number) => [number, Planted][],
): Scenario => ({ name, title, flipsCorrelation: false, plant: (random) => new Map(plant(random)) });

const numericWith = (count: number, random: () => number, changeOf: () => Change): [number, Planted][] =>
  choose(indicesOf('numeric'), count, random).map((index) => [index, { ...UNTOUCHED, change: changeOf() }]);

const moved = (random: () => number): [number, Planted][] =>
  choose(indicesOf('categorical'), 1, random).map((index) => [index, { ...UNTOUCHED, moved: true }]);

export const SCENARIOS: readonly Scenario[] = [
  scenario(
    'planted',
    'three numeric columns shifted 0.25 σ or scaled × 1.25, one categorical with 20 % moved',
    (random) => [...numericWith(3, random, () => (random() < 0.5 ? SHIFT : SCALE)), ...moved(random)],
  ),
  scenario('shift', 'three numeric columns shifted 0.25 σ', (random) => numericWith(3, random, () => SHIFT)),
  scenario('scale', 'three numeric columns scaled × 1.25', (random) => numericWith(3, random, () => SCALE)),
  scenario('moved', 'one categorical column with 20 % of its mass moved', moved),
  scenario('missing', 'one column missing in 2 % of rows instead of none', (random) =>
    choose([...COLUMNS.keys()], 1, random).map((index) => [index, { ...UNTOUCHED, missing: 0.02 }]),
  ),
  scenario('unseen', 'one categorical column with a new category in 1 % of rows', (random) =>
    choose(indicesOf('categorical'), 1, random).map((index) => [index, { ...UNTOUCHED, unseen: 0.01 }]),
  ),
  {
    name: 'correlation',
    title: 'correlation of two columns turned from 0.8 to −0.8, each column unchanged',
    flipsCorrelation: true,
    plant: () => new Map(),
  },
];
