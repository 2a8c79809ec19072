import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compareFiles } from '../../src/jobs/compare-files.js';
import { createNormal } from '../../src/stats/normal-draws.js';
import { createRandom } from '../../src/stats/random.js';
import { renderComparison } from '../../src/views/comparison.js';
import { withFileComparer } from '../../src/wiring/comparison.js';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'plumbline-together-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Two numbers with a correlation, a category that says nothing, and a column of gaps. */
async function file(name: string, rows: number, correlation: number, seed: number): Promise<string> {
  const random = createRandom(seed);
  const normal = createNormal(random);
  const path = join(directory, name);
  const lines = Array.from({ length: rows }, () => {
    const income = normal();
    const spending = correlation * income + Math.sqrt(1 - correlation ** 2) * normal();
    return [income, spending, random() < 0.5 ? 'north' : 'south', random() < 0.3 ? '' : random()].join(',');
  });
  await writeFile(path, `income,spending,region,gaps\n${lines.join('\n')}\n`);
  return path;
}

const compare = (reference: string, current: string) =>
  withFileComparer((files, countInThread) =>
    compareFiles(
      { files, countInThread, onProgress: () => undefined },
      {
        reference: [reference],
        current: [current],
        level: 0.05,
        timeColumn: null,
        parts: null,
        together: true,
      },
    ),
  );

describe('columns together', () => {
  it('are found to go together otherwise, where each stays as it was', async () => {
    const reference = await file('reference.csv', 30_000, 0.7, 1);
    const comparison = await compare(reference, await file('flipped.csv', 8_000, -0.7, 2));
    expect(comparison.columns.filter(({ status }) => status === 'drifted')).toEqual([]);
    expect(comparison.dataset).toMatchObject({ status: 'drifted', drifted: 0 });
    const { verdict, explanation } = comparison.together ?? {};
    expect(verdict).toMatchObject({ status: 'drifted', material: true, null: 'iid', currentRows: 5_000 });
    expect(verdict?.pairs?.[0]?.parts.map(({ feature }) => feature).sort()).toEqual(['income', 'spending']);
    expect(explanation).toMatch(
      /^Columns go together otherwise .*current rows are told from the reference's/,
    );
    expect(renderComparison(comparison, 0)).toContain('Columns together');
    // The same rows each time.
    expect((await compare(reference, join(directory, 'flipped.csv'))).together).toEqual(comparison.together);
  }, 120_000);

  it('are stable among rows of one kind, and undecided in few', async () => {
    const reference = await file('same.csv', 6_000, 0.7, 3);
    const same = await compare(reference, await file('again.csv', 3_000, 0.7, 4));
    expect(same.together?.verdict).toMatchObject({ status: 'stable', currentRows: 3_000 });
    expect(same.together?.explanation).toMatch(
      /^Columns go together as in the reference: .* with an AUC of 0\.[45]/,
    );
    const few = await compare(reference, await file('few.csv', 60, -0.7, 5));
    expect(few.together?.verdict).toMatchObject({ status: 'undecided', reason: 'too_few_rows' });
    expect(few.together?.explanation).toContain('each side needs 100 rows');
  }, 120_000);
});
