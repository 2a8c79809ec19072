import { HOUR_MS } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';

export const PROFILE_ROWS_START_MS = Date.UTC(2026, 0, 1, 20);
export const PROFILE_ROWS_HOURS = 9;
/** A feature may be called so. */
const PROTO = '__proto__';

export interface Raw {
  readonly identity: number;
  readonly tsMs: number;
  readonly num: Readonly<Record<string, number>>;
  readonly cat: Readonly<Record<string, string>>;
  readonly prediction: number;
  readonly proba: number | null;
}

/** Rows with ties on the cut points, values between and beyond them, infinities, missing, mistyped, unseen and absurd ones. */
export function randomRows(count: number, seed: number, firstId: number): Raw[] {
  const random = createRandom(seed);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  return Array.from({ length: count }, (_, index) => {
    const num: Record<string, number> = Object.create(null);
    const cat: Record<string, string> = Object.create(null);
    const x = pick([
      -1,
      0,
      -0,
      0.5,
      3,
      -2.25,
      0.1,
      1.7,
      99,
      1e300,
      -1e300,
      Infinity,
      -Infinity,
      null,
      'text',
    ]);
    if (typeof x === 'number') num.x = x;
    if (typeof x === 'string') cat.x = x;
    if (random() < 0.9) num[PROTO] = pick([6, 7, 8]);
    if (random() < 0.8) cat["it's <b>"] = pick(['a', 'b', "c'", 'tail', 'new', '']);
    // Neither is declared, and the second has a reserved name.
    num.undeclared = 1;
    num.prediction_proba = 77;
    return {
      identity: firstId + index,
      tsMs: PROFILE_ROWS_START_MS + Math.floor(random() * PROFILE_ROWS_HOURS * HOUR_MS),
      num,
      cat,
      prediction: pick([0, 1]),
      proba: random() < 0.95 ? random() : null,
    };
  });
}
