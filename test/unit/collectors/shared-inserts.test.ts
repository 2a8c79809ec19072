import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRowWriter } from '../../../src/collectors/row-writer.js';
import { createSharedInserts } from '../../../src/collectors/shared-inserts.js';
import type { RowBatch, RowStore } from '../../../src/domain/ports.js';
import { NO_VALUES, type PredictionRow, type RejectedRow } from '../../../src/domain/prediction.js';
import { AppError } from '../../../src/errors.js';
import { createLogger } from '../../../src/logger.js';
import { createMetrics } from '../../../src/metrics.js';
import { PLAIN_LISTS } from '../../support/rows.js';
import { until } from '../../support/until.js';

const source = { kind: 'http', topic: '', partition: -1, offset: -1 };

function row(id: string, timestampMs = 1): PredictionRow {
  return {
    model: 'm',
    modelVersion: '1',
    predictionId: id,
    rowIndex: 0,
    timestampMs,
    numeric: NO_VALUES,
    categorical: NO_VALUES,
    prediction: 1,
    proba: null,
    probas: NO_VALUES,
    latencyMs: null,
    tags: NO_VALUES,
    source,
  };
}
const rejected: RejectedRow = {
  kind: 'prediction',
  reason: 'missing_id',
  detail: '',
  payload: '{}',
  model: '',
  rowIndex: 0,
  source,
};

/** A store of identities that can be told to fail. */
function memoryStore() {
  const ids = new Set<string>();
  const batches: RowBatch[] = [];
  const state = { failures: 0, final: false, gate: Promise.resolve() };
  const store: RowStore = {
    ...PLAIN_LISTS,
    findDuplicatePredictions: async (rows, settled) => {
      await settled?.();
      const before = new Set<string>();
      return new Set(
        [...rows].flatMap(({ predictionId }, index) => {
          if (ids.has(predictionId) || before.has(predictionId)) return [index];
          before.add(predictionId);
          return [];
        }),
      );
    },
    findDuplicateLabels: async () => new Set<number>(),
    insertRows: async (batch) => {
      await state.gate;
      if (state.failures > 0) {
        state.failures -= 1;
        throw new AppError('store_unavailable', 'planned', { retryable: !state.final });
      }
      batches.push(batch);
      for (const r of batch.predictions) ids.add(r.predictionId);
    },
  };
  return { store, ids, batches, state };
}

describe('shared inserts', () => {
  let memory: ReturnType<typeof memoryStore>;
  let seen: number[];
  let metrics: ReturnType<typeof createMetrics>;
  let inserts: ReturnType<typeof createSharedInserts>;

  const make = (over: Partial<Parameters<typeof createSharedInserts>[0]> = {}) => {
    const writer = createRowWriter({
      store: memory.store,
      metrics,
      clock: { now: () => 0, observe: (ms) => seen.push(ms) },
      logger: createLogger({ level: 'silent' }),
      retryForMs: 60_000,
    });
    return createSharedInserts({
      writer,
      join: PLAIN_LISTS.joinPredictions,
      tokenPrefix: 't',
      maxDelayMs: 20,
      ...over,
    });
  };
  beforeEach(() => {
    memory = memoryStore();
    seen = [];
    metrics = createMetrics();
    inserts = make();
  });
  afterEach(() => inserts.stop());
  const submit = (rows: PredictionRow[], bad: RejectedRow[] = [], bytes = 100) =>
    inserts.submit({ predictions: rows, labels: [], rejected: bad, bytes });

  it('lets many small requests share one insert, each with its own counts', async () => {
    const answers = await Promise.all([
      submit([row('a'), row('b')], [rejected]),
      submit([row('b'), row('c')]),
      submit([], [rejected, rejected]),
    ]);
    expect(answers).toEqual([
      { received: 3, accepted: 2, duplicate: 0, rejected: 1 },
      { received: 2, accepted: 1, duplicate: 1, rejected: 0 },
      { received: 2, accepted: 0, duplicate: 0, rejected: 2 },
    ]);
    expect(memory.batches).toHaveLength(1);
    const text = await metrics.registry.metrics();
    expect(text).toContain('plumbline_received_total{kind="prediction",source="http"} 7');
    expect(text).toContain('plumbline_predictions_total{model="m",model_version="1"} 3');
    expect(text).toMatch(/plumbline_duplicates_total\{kind="prediction"\} 1/);
    expect(text).toMatch(/plumbline_rejected_total\{kind="prediction",reason="missing_id"\} 3/);
  });

  it('accepts exactly one of many concurrent requests with the same id', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => submit([row('same')])));
    expect(answers.reduce((sum, answer) => sum + answer.accepted, 0)).toBe(1);
    expect(answers.reduce((sum, answer) => sum + answer.duplicate, 0)).toBe(49);
    expect(memory.ids.size).toBe(1);
  });

  it('knows what was stored before, and tells the clock of what is new', async () => {
    await submit([row('a', 5)]);
    expect(await submit([row('a', 9)])).toEqual({ received: 1, accepted: 0, duplicate: 1, rejected: 0 });
    expect(seen).toEqual([5]);
  });

  it('tries again under the same token while the store fails', async () => {
    memory.state.failures = 2;
    expect((await submit([row('a')])).accepted).toBe(1);
    expect(memory.batches).toHaveLength(1);
  });

  it('passes on what trying again cannot mend, and goes on', async () => {
    Object.assign(memory.state, { failures: 1, final: true });
    await expect(submit([row('a')])).rejects.toThrow('planned');
    expect((await submit([row('a')])).accepted).toBe(1);
  });

  it('turns requests away when too many bytes wait, and takes them again later', async () => {
    inserts = make({ maxBytes: 250 });
    let open = (): void => undefined;
    memory.state.gate = new Promise((resolve) => {
      open = resolve;
    });
    const first = submit([row('a')], [], 200);
    await expect(submit([row('b')], [], 100)).rejects.toMatchObject({ code: 'overloaded', retryable: true });
    open();
    expect((await first).accepted).toBe(1);
    expect((await submit([row('b')], [], 100)).accepted).toBe(1);
  });

  it('answers by the deadline when the store hangs, and knows the rows as duplicates later', async () => {
    inserts = make({ deadlineMs: 60 });
    let open = (): void => undefined;
    memory.state.gate = new Promise((resolve) => {
      open = resolve;
    });
    await expect(submit([row('a')])).rejects.toMatchObject({ code: 'overloaded' });
    open();
    inserts = make();
    await expect(submit([row('a')])).resolves.toMatchObject({ received: 1 });
  });

  it('does not insert what nobody waits for any more', async () => {
    inserts = make({ deadlineMs: 60, maxBytes: 250 });
    let open = (): void => undefined;
    memory.state.gate = new Promise((resolve) => {
      open = resolve;
    });
    let asked = false;
    const gate = memory.state.gate;
    Object.defineProperty(memory.state, 'gate', {
      get: () => {
        asked = true;
        return gate;
      },
    });
    // Awaited from here on: on a busy machine they are refused before anything else is done.
    const refused = (answer: Promise<unknown>) =>
      expect(answer).rejects.toMatchObject({ code: 'overloaded' });
    const begun = refused(submit([row('begun')]));
    await until(() => asked);
    const queued = refused(submit([row('queued')], [rejected]));
    await begun;
    await queued;
    open();
    await inserts.stop();
    expect([...memory.ids]).toEqual(['begun']);
    // Its bytes are free again, too.
    inserts = make({ maxBytes: 250 });
    expect((await submit([row('queued')], [rejected], 250)).accepted).toBe(1);
  });

  it('waits with many rows for those that are being read, and for nothing else', async () => {
    inserts = make({ manyRows: 2, fullRows: 100, maxDelayMs: 60_000 });
    const [first, second] = [inserts.expect(), inserts.expect()];
    const a = submit([row('a'), row('a2')]);
    first();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(memory.batches).toHaveLength(0);
    const b = submit([row('b')]);
    second();
    await Promise.all([a, b]);
    expect(memory.batches.map((batch) => batch.predictions.length)).toEqual([3]);
    // Nobody is expected: they begin at once.
    await submit([row('c'), row('c2')]);
    expect(memory.batches).toHaveLength(2);
  });

  it('does not wait for a body that held no row', async () => {
    inserts = make({ manyRows: 2, maxDelayMs: 60_000 });
    const end = inserts.expect();
    const answer = submit([row('a'), row('a2')]);
    end();
    end();
    expect((await answer).accepted).toBe(2);
    // What ended twice counts once.
    const next = inserts.expect();
    const waiting = submit([row('b'), row('b2')]);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(memory.batches).toHaveLength(1);
    next();
    await waiting;
  });

  it('splits what is more than one insert may hold', async () => {
    inserts = make({ maxRows: 3 });
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => submit([row(id), row(`${id}2`)])));
    expect(memory.batches.map((batch) => batch.predictions.length)).toEqual([2, 2, 2, 2]);
    expect(new Set(memory.batches.map((batch) => batch.token)).size).toBe(4);
  });

  it('drains on stop, and takes no more', async () => {
    const last = submit([row('z')]);
    await inserts.stop();
    expect((await last).accepted).toBe(1);
    await expect(submit([row('y')])).rejects.toMatchObject({ code: 'overloaded' });
  });
});
