import type { Task } from '../domain/model.js';
import { mergeMoments } from '../domain/performance.js';
import type { Agreement, MatchedHour } from '../domain/version-comparison.js';
import { mean, share } from './interval.js';

/** Pairs of classes that are told. */
const MAX_PAIRS = 100;

/** How far two versions say the same of the same requests, before any label has come; null without such requests. */
export function agreementOf(task: Task, hours: readonly MatchedHour[]): Agreement | null {
  if (hours.length === 0) return null;
  const counts = new Map<string, { champion: string; challenger: string; rows: number }>();
  for (const { champion, challenger, rows } of hours.flatMap(({ classes }) => classes)) {
    const name = JSON.stringify([champion, challenger]);
    const known = counts.get(name);
    counts.set(name, { champion, challenger, rows: (known?.rows ?? 0) + rows });
  }
  const pairs = [...counts.values()].sort(
    (a, b) => b.rows - a.rows || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1),
  );
  const classified = hours.reduce((sum, hour) => sum + hour.classified, 0);
  const same = pairs.reduce((sum, pair) => sum + (pair.champion === pair.challenger ? pair.rows : 0), 0);
  return {
    classified,
    share: task === 'regression' ? null : share(same, classified),
    kappa: task === 'regression' ? null : kappa(pairs, same, classified),
    classes: pairs.slice(0, MAX_PAIRS),
    distance: mean(mergeMoments(hours.map(({ distance }) => distance))),
  };
}

/** Cohen's kappa (1960, Educational and Psychological Measurement 20:37); null where chance alone would agree on everything. */
function kappa(pairs: Agreement['classes'], same: number, rows: number): number | null {
  if (rows === 0) return null;
  const champion = new Map<string, number>();
  const challenger = new Map<string, number>();
  for (const pair of pairs) {
    champion.set(pair.champion, (champion.get(pair.champion) ?? 0) + pair.rows);
    challenger.set(pair.challenger, (challenger.get(pair.challenger) ?? 0) + pair.rows);
  }
  let chance = 0;
  for (const [name, count] of champion) chance += (count / rows) * ((challenger.get(name) ?? 0) / rows);
  return chance === 1 ? null : (same / rows - chance) / (1 - chance);
}
