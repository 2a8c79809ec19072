import type { Profile } from '../domain/profile.js';

interface Sum {
  readonly pieces: Profile[];
  readonly total: {
    rows: number;
    missing: number;
    nonFinite: number;
    mistyped: number;
    readonly counts: number[];
  };
}

/**
 * The last `length` pieces of a series, added up column by column: a step adds one piece and takes one out, however long the window.
 * The profiles it gives are its own and change with the next step.
 */
export function createRollingWindow(length: number) {
  const held: (readonly Profile[])[] = [];
  const sums = new Map<string, Sum>();

  function change(profile: Profile, sign: 1 | -1): void {
    let sum = sums.get(profile.feature);
    if (sum === undefined) {
      const counts = new Array<number>(profile.counts.length).fill(0);
      sum = { pieces: [], total: { rows: 0, missing: 0, nonFinite: 0, mistyped: 0, counts } };
      sums.set(profile.feature, sum);
    }
    const { total, pieces } = sum;
    if (sign === 1) pieces.push(profile);
    else pieces.shift();
    total.rows += sign * profile.rows;
    total.missing += sign * profile.missing;
    total.nonFinite += sign * profile.nonFinite;
    total.mistyped += sign * profile.mistyped;
    const { filled } = profile;
    const add = (cell: number, count: number) => {
      if (count !== 0) total.counts[cell] = (total.counts[cell] ?? 0) + sign * count;
    };
    if (filled === undefined) for (const [cell, count] of profile.counts.entries()) add(cell, count);
    else for (let k = 0; k < filled.cells.length; k++) add(filled.cells[k] ?? 0, filled.counts[k] ?? 0);
  }

  return {
    /** Takes the next piece in; an hour without rows is an empty one. */
    push(piece: readonly Profile[]): void {
      held.push(piece);
      if (length === 1) {
        held.splice(0, held.length - 1);
        return;
      }
      for (const profile of piece) change(profile, 1);
      if (held.length > length) for (const profile of held.shift() ?? []) change(profile, -1);
    },
    /** Whether the window is as long as it should be. */
    isFull: () => held.length === length,
    profiles(): Profile[] {
      if (length === 1) return [...(held[0] ?? [])];
      return [...sums].flatMap(([feature, { pieces, total }]) => {
        const [first] = pieces;
        if (first === undefined) return [];
        const least = pieces.flatMap(({ min }) => (min === null ? [] : [min]));
        const greatest = pieces.flatMap(({ max }) => (max === null ? [] : [max]));
        return {
          feature,
          kind: first.kind,
          ...total,
          offsets: [],
          min: least.length === 0 ? null : Math.min(...least),
          max: greatest.length === 0 ? null : Math.max(...greatest),
        };
      });
    },
  };
}
