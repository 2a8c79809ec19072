import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fitOutlierSpread, judgeOutlierShare } from '../../src/detectors/isolation-forest.js';
import { DAY_MS } from '../../src/domain/window.js';
import {
  type CellValue,
  encodedWidth,
  encodeRows,
  type ForestColumn,
  fitEncoding,
} from '../../src/stats/forest-encoding.js';
import { fitForestModel } from '../../src/stats/forest-model.js';
import { fitIsolationForest, scoreIsolationForest } from '../../src/stats/isolation-forest.js';
import { createRandom } from '../../src/stats/random.js';
import { createStoreClient } from '../../src/store/client.js';
import { auc, deviation, mean, spearman } from '../support/ranks.js';
import { scoreForestRows } from '../support/score-rows.js';

/** scikit-learn's figures on the same flights; made by test/oracle/generate-forest.py, which encodes them by itself. */
const oracle = JSON.parse(readFileSync('test/oracle/forest-flights.json', 'utf8')) as {
  numeric: string[];
  categorical: string[];
  rows: number;
  columnMeans: number[];
  columnDeviations: number[];
  seeds: number;
  step: number;
  meanScores: number[];
  planted: number[][];
  aucMean: number;
  aucStandardError: number;
};

const columns: ForestColumn[] = [
  ...oracle.numeric.map((name): ForestColumn => ({ name, kind: 'numeric' })),
  ...oracle.categorical.map((name): ForestColumn => ({ name, kind: 'categorical' })),
];
let dataDir: string;
let rows: CellValue[][];
let timestampsMs: number[];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'plumbline-forest-'));
  const client = await createStoreClient({ kind: 'embedded', dataDir });
  try {
    const names = columns.map((column) => `\`${column.name}\``).join(', ');
    const table = await client.query<Record<string, CellValue>>(
      `SELECT ${names}, toUnixTimestamp64Milli(CAST(timestamp AS DateTime64(3, 'UTC'))) AS ms
       FROM file({path:String}, Parquet) ORDER BY prediction_id`,
      { path: resolve('examples/flights/reference.parquet') },
    );
    rows = table.map((row) => columns.map((column) => row[column.name] ?? null));
    timestampsMs = table.map((row) => row.ms as number);
  } finally {
    await client.close();
  }
});

afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

describe('the isolation forest on the flights', () => {
  it("encodes the reference as the oracle's own encoding does", async () => {
    expect(rows).toHaveLength(oracle.rows);
    const encoding = await fitEncoding(columns, rows);
    const width = encodedWidth(encoding);
    const matrix = encodeRows(encoding, rows);
    expect(width).toBe(oracle.columnMeans.length);
    for (let column = 0; column < width; column++) {
      const values = Float64Array.from(rows, (_, row) => matrix[row * width + column] as number);
      expect(mean(values) / (oracle.columnMeans[column] as number)).toBeCloseTo(1, 9);
      expect(deviation(values, 0) / (oracle.columnDeviations[column] as number)).toBeCloseTo(1, 9);
    }
  });

  it('ranks rows and finds planted outliers as scikit-learn does, over its thirty seeds and thirty of ours', async () => {
    const encoding = await fitEncoding(columns, rows);
    const width = encodedWidth(encoding);
    const matrix = encodeRows(encoding, rows);
    const planted = Float64Array.from(oracle.planted.flat());
    const total = new Float64Array(rows.length);
    const aucs: number[] = [];
    for (let seed = 0; seed < oracle.seeds; seed++) {
      const forest = fitIsolationForest(matrix, rows.length, width, { random: createRandom(seed) });
      const scores = scoreIsolationForest(forest, matrix, rows.length);
      scores.forEach((score, row) => {
        total[row] = (total[row] as number) + score;
      });
      aucs.push(auc(scores, scoreIsolationForest(forest, planted, oracle.planted.length)));
    }
    const ours = oracle.meanScores.map((_, i) => (total[i * oracle.step] as number) / oracle.seeds);
    const correlation = spearman(ours, oracle.meanScores);
    const largest = Math.max(...ours.map((score, i) => Math.abs(score - (oracle.meanScores[i] as number))));
    const standardError = deviation(aucs, 1) / Math.sqrt(aucs.length);
    const z = (mean(aucs) - oracle.aucMean) / Math.hypot(standardError, oracle.aucStandardError);
    expect(correlation).toBeGreaterThan(0.99);
    expect(largest).toBeLessThan(0.02);
    expect(Math.abs(z)).toBeLessThan(3);
  });

  it('flags at most two days of February, the storms, when each is judged without itself', async () => {
    const days = [...new Set(timestampsMs.map((ms) => Math.floor(ms / DAY_MS)))];
    const alarms = { temporal: 0, iid: 0 };
    for (const day of days) {
      const inDay = timestampsMs.map((ms) => Math.floor(ms / DAY_MS) === day);
      const forest = await fitForestModel(
        columns,
        rows.filter((_, i) => !inDay[i]),
        {
          seed: 1,
          trees: 40,
          time: { timestampsMs: timestampsMs.filter((_, i) => !inDay[i]), pieceMs: DAY_MS },
        },
      );
      const scores = scoreForestRows(
        forest,
        rows.filter((_, i) => inDay[i]),
      );
      const flagged = scores.filter((score) => score > forest.threshold).length;
      const judge = (spread: ReturnType<typeof fitOutlierSpread>) =>
        judgeOutlierShare({
          model: {
            model: 'f',
            modelVersion: '1',
            schema: { task: 'binary', features: [] },
            registeredAtMs: 0,
          },
          reference: {
            model: 'f',
            modelVersion: '1',
            hash: 'h',
            rows: rows.length,
            period: null,
            provenance: '',
            createdAtMs: 0,
            nullModel:
              spread === null
                ? { kind: 'iid', pieceMs: 0, spreads: [] }
                : { kind: 'temporal', pieceMs: DAY_MS, spreads: [] },
            forest: null,
          },
          window: { startMs: day * DAY_MS, endMs: (day + 1) * DAY_MS },
          forest,
          scored: scores.length,
          flagged,
          spread,
          // A Holm family of forty tests at 0.05, its strictest step.
          level: 0.05 / 40,
        });
      if (judge(fitOutlierSpread(forest)).status === 'drifted') alarms.temporal++;
      if (judge(null).status === 'drifted') alarms.iid++;
    }
    // Over six seeds and row orders 4 of 174 days, both storms of a month that knows one other; iid 34 of 174.
    expect(alarms.temporal).toBeLessThanOrEqual(2);
    expect(alarms.iid).toBeGreaterThanOrEqual(4);
  });
});
