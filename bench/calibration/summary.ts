import { SCENARIOS } from './scenarios.js';
import { LEVEL, type WindowResult } from './trial.js';

export interface Cell {
  readonly scenario: string;
  readonly rows: number;
  readonly windows: number;
  /** Shares of windows. */
  readonly flagged: number;
  readonly material: number;
  readonly caught: number;
}

export interface Summary {
  readonly cells: readonly Cell[];
  /** Flags of drift-free windows: `column.detector`, window rows, share of windows. */
  readonly falseFlags: readonly { readonly flag: string; readonly rows: number; readonly share: number }[];
  readonly bar: readonly {
    readonly name: string;
    readonly rows: number;
    readonly share: number;
    readonly ok: boolean;
  }[];
}

/** Least share of planted drifts caught, by rows of the window. */
const LEAST_CAUGHT: ReadonlyMap<number, number> = new Map([
  [50, 0.05],
  [200, 0.5],
  [1_000, 0.95],
  [5_000, 0.99],
]);

/** Upper end of what a rate of `level` shows in so many windows, 99 times of 100: the Monte-Carlo error of the benchmark. */
export function mostFalse(windows: number, level = LEVEL): number {
  return level + 2.33 * Math.sqrt((level * (1 - level)) / windows);
}

export function summarise(results: readonly WindowResult[]): Summary {
  const groups = new Map<string, WindowResult[]>();
  for (const result of results) {
    const key = `${result.scenario} ${result.rows}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [result]);
    else group.push(result);
  }
  const order = ['none', ...SCENARIOS.map((scenario) => scenario.name)];
  const cells = [...groups.values()]
    .map(cellOf)
    .sort((a, b) => order.indexOf(a.scenario) - order.indexOf(b.scenario) || a.rows - b.rows);
  return { cells, falseFlags: falseFlagsOf(groups), bar: cells.flatMap(barOf) };
}

function cellOf(group: readonly WindowResult[]): Cell {
  const [first] = group;
  const shareOf = (holds: (result: WindowResult) => boolean) => group.filter(holds).length / group.length;
  return {
    scenario: first?.scenario ?? '',
    rows: first?.rows ?? 0,
    windows: group.length,
    flagged: shareOf((result) => result.flagged),
    material: shareOf((result) => result.material),
    caught: shareOf((result) => result.caught),
  };
}

function falseFlagsOf(groups: ReadonlyMap<string, readonly WindowResult[]>): Summary['falseFlags'] {
  return [...groups.values()]
    .filter((group) => group[0]?.scenario === 'none')
    .flatMap((group) => {
      const counts = new Map<string, number>();
      for (const flag of group.flatMap((result) => result.flags))
        counts.set(flag, (counts.get(flag) ?? 0) + 1);
      return [...counts].map(([flag, count]) => ({
        flag,
        rows: group[0]?.rows ?? 0,
        share: count / group.length,
      }));
    })
    .sort((a, b) => a.rows - b.rows || b.share - a.share || (a.flag < b.flag ? -1 : 1));
}

function barOf(cell: Cell): Summary['bar'] {
  if (cell.scenario === 'none')
    return [
      { name: 'false', rows: cell.rows, share: cell.flagged, ok: cell.flagged <= mostFalse(cell.windows) },
    ];
  const least = LEAST_CAUGHT.get(cell.rows);
  if (cell.scenario !== 'planted' || least === undefined) return [];
  return [{ name: 'caught', rows: cell.rows, share: cell.caught, ok: cell.caught >= least }];
}
