import { randomUUID } from 'node:crypto';
import type { VerdictStore } from '../domain/ports.js';
import { segmentId } from '../domain/segment.js';
import type { Verdict } from '../domain/verdict.js';
import { createBatch } from './batch.js';
import type { StoreClient } from './client.js';
import { toBody } from './encoding.js';
import { createLowCardinalityColumn, createTextColumn, nativeBlock } from './native-block.js';
import {
  createBoolColumn,
  createLongColumn,
  createNullableFloat64Column,
  createWordColumn,
} from './native-numbers.js';

/** Of some hundred verdicts of a kilobyte each. */
const JUDGEMENTS_PER_STATEMENT = 16;

/** Volume, which is revised alone, is the last of a judgement. */
const LAST_POSITION = 2 ** 32 - 1;

interface Row {
  readonly verdict: Verdict;
  readonly position: number;
  readonly revision: number;
}

/** Saves the verdicts of windows; those of several calls in one block, which is in the table whole or not at all. */
export function createVerdictWriter(
  client: StoreClient,
  nextRevision: () => number,
): Pick<VerdictStore, 'saveVerdicts' | 'reviseVerdicts'> {
  async function insert(rows: readonly Row[], table: 'verdicts' | 'segment_verdicts'): Promise<void> {
    if (rows.length === 0) return;
    const columns = columnsOf(rows, table === 'segment_verdicts');
    const block = nativeBlock(rows.length, columns);
    await client.insertBlock(table, Object.keys(columns), block, randomUUID());
  }

  const save = createBatch(async (judgements: readonly (readonly Verdict[])[]) => {
    const rows = judgements.flatMap((verdicts) => {
      const revision = nextRevision();
      return verdicts.map((verdict, position): Row => ({ verdict, position, revision }));
    });
    // Segments first: whoever finds the window's verdicts finds theirs.
    await insert(
      rows.filter(({ verdict }) => verdict.segment !== undefined),
      'segment_verdicts',
    );
    await insert(
      rows.filter(({ verdict }) => verdict.segment === undefined),
      'verdicts',
    );
    return judgements.map(() => undefined);
  }, JUDGEMENTS_PER_STATEMENT);

  return {
    async saveVerdicts(verdicts) {
      await Promise.all(byWindow(verdicts).map(save));
    },
    async reviseVerdicts(volumes) {
      const revision = nextRevision();
      await insert(
        volumes.map((verdict) => ({ verdict, position: LAST_POSITION, revision })),
        'verdicts',
      );
    },
  };
}

function columnsOf(rows: readonly Row[], segmented: boolean) {
  const time = () => createLongColumn("DateTime64(3, 'UTC')");
  const columns = {
    model: createLowCardinalityColumn(),
    version: createLowCardinalityColumn(),
    window_start: time(),
    window_end: time(),
    ...(segmented ? { segment: createLowCardinalityColumn() } : {}),
    feature: createTextColumn(),
    detector: createLowCardinalityColumn(),
    category: createLowCardinalityColumn(),
    role: createLowCardinalityColumn(),
    status: createLowCardinalityColumn(),
    reason: createLowCardinalityColumn(),
    material: createBoolColumn(),
    statistic: createNullableFloat64Column(),
    threshold: createNullableFloat64Column(),
    effect: createNullableFloat64Column(),
    p_value: createNullableFloat64Column(),
    adjusted_p_value: createNullableFloat64Column(),
    position: createWordColumn('UInt32'),
    body: createTextColumn(),
    revision: createLongColumn('UInt64'),
  };
  for (const { verdict, position, revision } of rows) {
    columns.model.append(verdict.model);
    columns.version.append(verdict.modelVersion);
    columns.window_start.append(verdict.window.startMs);
    columns.window_end.append(verdict.window.endMs);
    if (verdict.segment !== undefined) columns.segment?.append(segmentId(verdict.segment));
    columns.feature.append(verdict.feature);
    columns.detector.append(verdict.detector);
    columns.category.append(verdict.category);
    columns.role.append(verdict.role);
    columns.status.append(verdict.status);
    columns.reason.append(verdict.reason ?? '');
    columns.material.append(verdict.material);
    columns.statistic.append(verdict.statistic);
    columns.threshold.append(verdict.threshold);
    columns.effect.append(verdict.effect?.value ?? null);
    columns.p_value.append(verdict.pValue);
    columns.adjusted_p_value.append(verdict.adjustedPValue);
    columns.position.append(position);
    columns.body.append(toBody(verdict));
    columns.revision.append(revision);
  }
  return columns;
}

/** One group per version and window, in the order of first appearance. */
function byWindow(verdicts: readonly Verdict[]): Verdict[][] {
  const groups = new Map<string, Verdict[]>();
  for (const verdict of verdicts) {
    const key = `${verdict.model}\0${verdict.modelVersion}\0${verdict.window.startMs}\0${verdict.window.endMs}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [verdict]);
    else group.push(verdict);
  }
  return [...groups.values()];
}
