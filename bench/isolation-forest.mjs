// Rows per second scored by the isolation forest against scikit-learn's on one core, on the same encoded flights.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importBundle, pythonEnvironment, startPython, subjectOverBaseline, takeTurns } from './harness.mjs';

export const isolationForest = {
  name: 'isolation-forest',
  title: 'isolation forest: rows scored, one core, against scikit-learn',
  bar: { atLeast: 1 },
  rounds: 15,

  async run({ directory, log, rounds }) {
    const python = await pythonEnvironment(log);
    const { fitIsolationForest, scoreIsolationForest, createRandom } = await importBundle(
      directory,
      'forest',
      `export * from './src/stats/isolation-forest.js'; export * from './src/stats/random.js';`,
    );
    const matrixFile = join(directory, 'matrix.f64');
    const sklearn = startPython(python, ['bench/isolation-forest.py', matrixFile]);
    try {
      const { rows, columns, versions } = await sklearn.answer();
      const bytes = await readFile(matrixFile);
      const matrix = new Float64Array(bytes.buffer, bytes.byteOffset, rows * columns);
      const forest = fitIsolationForest(matrix, rows, columns, { random: createRandom(1) });
      const out = new Float64Array(rows);
      const turns = await takeTurns({
        rounds,
        log,
        ratioOf: subjectOverBaseline,
        baseline: async () => rows / (await sklearn.ask('score')),
        subject: async () => {
          const before = performance.now();
          scoreIsolationForest(forest, matrix, rows, out);
          return rows / ((performance.now() - before) / 1_000);
        },
      });
      return { unit: 'rows/s', ...turns, notes: { rows, columns, trees: 100, ...versions } };
    } finally {
      await sklearn.stop();
    }
  },
};
