/** What a planted drift does to a numeric column: added in units of its spread, after multiplying by `scale`. */
export interface Change {
  readonly shift: number;
  readonly scale: number;
}

export const NO_CHANGE: Change = { shift: 0, scale: 1 };

export interface NumericColumn {
  readonly kind: 'numeric';
  readonly name: string;
  readonly family: string;
  readonly draw: (random: () => number, change: Change) => number;
}

export interface CategoricalColumn {
  readonly kind: 'categorical';
  readonly name: string;
  readonly family: string;
  /** Cumulative shares by category index, of the drift-free law and of the one with 20 % of its mass moved. */
  readonly cumulative: Float64Array;
  readonly moved: Float64Array;
}

export type Column = NumericColumn | CategoricalColumn;

/** Share of a categorical column's mass that a planted drift moves. */
const MOVED_MASS = 0.2;
/** Interquartile range of a standard normal: makes a spread of columns without a variance. */
const NORMAL_IQR = 1.3489795003921634;

export function standardNormal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const normal = (name: string, mean: number, sd: number): NumericColumn => ({
  kind: 'numeric',
  name,
  family: 'normal',
  draw: (random, { shift, scale }) => mean + sd * (standardNormal(random) * scale + shift),
});

function lognormal(name: string, sigma: number): NumericColumn {
  const sd = Math.sqrt(Math.expm1(sigma ** 2) * Math.exp(sigma ** 2));
  return {
    kind: 'numeric',
    name,
    family: 'lognormal',
    draw: (random, { shift, scale }) => Math.exp(sigma * standardNormal(random)) * scale + shift * sd,
  };
}

/** Poisson counts stay counts: a change moves the rate. */
function counts(name: string, rate: number): NumericColumn {
  const tables = new Map<number, Float64Array>();
  return {
    kind: 'numeric',
    name,
    family: 'counts',
    draw: (random, { shift, scale }) => {
      const changed = rate * scale + shift * Math.sqrt(rate);
      let table = tables.get(changed);
      if (table === undefined) {
        table = poissonCumulative(changed);
        tables.set(changed, table);
      }
      return pick(table, random());
    },
  };
}

/** Exponential with an atom at 0, which a change leaves where it is. */
function zeroInflated(name: string, zeros: number): NumericColumn {
  const sd = Math.sqrt(2 * (1 - zeros) - (1 - zeros) ** 2);
  return {
    kind: 'numeric',
    name,
    family: 'zero-inflated',
    draw: (random, { shift, scale }) => (random() < zeros ? 0 : -Math.log(1 - random()) * scale + shift * sd),
  };
}

function heavyTailed(name: string, sd: number, draw: (random: () => number) => number): NumericColumn {
  return {
    kind: 'numeric',
    name,
    family: 'heavy tails',
    draw: (random, { shift, scale }) => draw(random) * scale + shift * sd,
  };
}

function categorical(name: string, weights: readonly number[]): CategoricalColumn {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / all);
  const frequent = Math.max(1, Math.floor(shares.length / 2));
  const head = shares.slice(0, frequent).reduce((sum, share) => sum + share, 0);
  const moved = shares.map((share, i) =>
    i < frequent ? (share * (head - MOVED_MASS)) / head : (share * (1 - head + MOVED_MASS)) / (1 - head),
  );
  return {
    kind: 'categorical',
    name,
    family: `${weights.length} values`,
    cumulative: cumulativeOf(shares),
    moved: cumulativeOf(moved),
  };
}

const pareto = (random: () => number) => (1 - random()) ** (-1 / 1.5);
const paretoIqr = 0.25 ** (-1 / 1.5) - 0.75 ** (-1 / 1.5);
const zipf = (size: number) => Array.from({ length: size }, (_, i) => 1 / (i + 1));
const flat = (size: number) => Array.from({ length: size }, () => 1);

/**
 * Twenty-five columns. The last numeric one is the model's `prediction`. `normal-2` follows `normal-1` with correlation ±0.8
 * (see counting.ts), so that a flip leaves both of them as they are.
 */
export const COLUMNS: readonly Column[] = [
  normal('normal-1', 0, 1),
  normal('normal-2', 0, 1),
  lognormal('lognormal-1', 0.5),
  lognormal('lognormal-2', 1),
  lognormal('lognormal-3', 1.5),
  counts('counts-1', 0.5),
  counts('counts-2', 3),
  counts('counts-3', 20),
  zeroInflated('zero-inflated-1', 0.4),
  zeroInflated('zero-inflated-2', 0.7),
  zeroInflated('zero-inflated-3', 0.95),
  heavyTailed('student-3', Math.sqrt(3), (random) => {
    const [a, b, c] = [standardNormal(random), standardNormal(random), standardNormal(random)];
    return standardNormal(random) / Math.sqrt((a * a + b * b + c * c) / 3);
  }),
  heavyTailed('cauchy', 2 / NORMAL_IQR, (random) => Math.tan(Math.PI * (random() - 0.5))),
  heavyTailed('pareto', paretoIqr / NORMAL_IQR, pareto),
  normal('prediction', 100, 15),
  categorical('two-1', [0.7, 0.3]),
  categorical('two-2', flat(2)),
  categorical('five-1', zipf(5)),
  categorical('five-2', flat(5)),
  categorical('twenty-1', zipf(20)),
  categorical('twenty-2', flat(20)),
  categorical('hundred-1', zipf(100)),
  categorical('hundred-2', flat(100)),
  categorical('thousand-1', zipf(1_000)),
  categorical('thousand-2', flat(1_000)),
];

/** The first index whose cumulative share exceeds u. */
export function pick(cumulative: Float64Array, u: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] as number) > u) high = middle;
    else low = middle + 1;
  }
  return low;
}

function cumulativeOf(shares: readonly number[]): Float64Array {
  let sum = 0;
  return Float64Array.from(shares, (share) => {
    sum += share;
    return sum;
  });
}

function poissonCumulative(rate: number): Float64Array {
  const shares: number[] = [];
  let share = Math.exp(-rate);
  for (let k = 0; k < rate + 12 * Math.sqrt(rate) + 20; k++) {
    shares.push(share);
    share *= rate / (k + 1);
  }
  return cumulativeOf(shares);
}
