import { z } from 'zod';

/** With fewer windows nobody can tell how much they differ. */
const LEAST_REFERENCE_WINDOWS = 10;
const DAY_MS = 86_400_000;

/** What windows are compared with: the registered reference, or production's own past. */
export const referenceSchema = z.strictObject({
  kind: z.enum(['training', 'seasonal', 'trailing']).default('training'),
  /** How far `seasonal` and `trailing` look back. */
  days: z.int().min(1).max(730).default(28),
});

/** What makes a reference of production's past impossible for windows of a length, ms. */
export function referenceProblems(
  { kind, days }: z.output<typeof referenceSchema>,
  windowMs: number,
): { path: string[]; message: string }[] {
  if (kind === 'training') return [];
  const problems: { path: string[]; message: string }[] = [];
  const ofDays = (message: string) => problems.push({ path: ['reference', 'days'], message });
  const weeks = Math.floor(days / 7);
  const spanMs = kind === 'seasonal' ? weeks * 7 * DAY_MS : days * DAY_MS;
  if (spanMs < LEAST_REFERENCE_WINDOWS * windowMs)
    ofDays(`must hold at least ${LEAST_REFERENCE_WINDOWS} windows of this length for a ${kind} reference`);
  if (kind === 'seasonal' && weeks < 3) ofDays('must be at least 21 for a seasonal reference');
  if (kind === 'seasonal' && (7 * DAY_MS) % windowMs !== 0)
    problems.push({
      path: ['window', 'length'],
      message: 'must divide a week for a seasonal reference, e.g. 1h, 6h, 24h or 7d',
    });
  return problems;
}
