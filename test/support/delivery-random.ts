import { setTimeout as delay } from 'node:timers/promises';
import { type Outcome, RECORDS, type Round, redoneIn, withDelivery } from './delivery-scenarios.js';
import { until } from './kafka-collect.js';
import type { CollectorProcess } from './kafka-collector-process.js';

/** Where a process was, by the last it said of itself. */
function windowOf(process: CollectorProcess): string {
  const steps = [...process.log().matchAll(/^step (\w+)$/gm)].map(([, step]) => step);
  const count = (step: string) => steps.filter((said) => said === step).length;
  if (steps.length === 0) return 'before the first range';
  if (count('inserting') > count('inserted')) return 'in an insert';
  if (count('inserted') > count('committed')) return 'inserted, not committed';
  if (count('announced') > count('inserting')) return 'announced, not inserted';
  return 'between ranges';
}

/** Processes are killed at random moments, one after the other; over HTTP there are always two. */
export const killAtRandom = (
  round: Round,
  kind: 'embedded' | 'http',
  options: { readonly kills: number; readonly records?: number },
): Promise<Outcome> =>
  withDelivery(round, kind, async (delivery) => {
    const { kills, records = 3 * RECORDS } = options;
    const started: CollectorProcess[] = [];
    const running: CollectorProcess[] = [];
    const begin = (late: boolean) => {
      const process = delivery.start({ late });
      started.push(process);
      running.push(process);
    };
    const violations: string[] = [];
    const struck: string[] = [];
    await delivery.produce(records);
    begin(false);
    if (kind === 'http') begin(false);
    for (let kill = 1; kill <= kills; kill += 1) {
      await until('partitions are assigned', () =>
        running.every((process) => process.log().includes('partition assigned')),
      );
      await delay(1_500 * round.random());
      const [victim] = running.splice(Math.floor(running.length * round.random()), 1);
      if (victim === undefined) throw new TypeError('no process runs');
      await victim.kill();
      struck.push(windowOf(victim));
      violations.push(...(await delivery.commitViolations()));
      if (kill === 1 && kind === 'http') await delivery.registerLate();
      begin(true);
    }
    await delivery.untilDone(...running);
    if (kind === 'embedded') await Promise.all(running.map((process) => process.kill()));
    violations.push(...(await delivery.violations()));
    return { violations, redone: redoneIn(...started), struck };
  });
