import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

const directory = mkdtempSync(join(tmpdir(), 'closing-line-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the script on jest results with these counts (none: no results file). */
function closingLine(counts: Record<string, number> | null, status: number) {
  const path = join(directory, `${Math.random()}.json`);
  const zero = {
    numPassedTests: 0,
    numFailedTests: 0,
    numRuntimeErrorTestSuites: 0,
    numPendingTests: 0,
    numTodoTests: 0,
  };
  if (counts !== null) writeFileSync(path, JSON.stringify({ ...zero, ...counts }));
  return new Promise<{ code: number; stdout: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      ['scripts/closing-line.mjs', path, String(status)],
      (_error, stdout) => resolve({ code: child.exitCode ?? -1, stdout }),
    );
  });
}

describe('closing line of npm test', () => {
  it('counts what passed and succeeds', async () => {
    expect(await closingLine({ numPassedTests: 7 }, 0)).toEqual({ code: 0, stdout: '7 passed, 0 failed\n' });
  });

  it('fails with failed tests', async () => {
    expect(await closingLine({ numPassedTests: 7, numFailedTests: 2 }, 1)).toEqual({
      code: 1,
      stdout: '7 passed, 2 failed\n',
    });
  });

  it('counts files that do not load and skipped tests as failed', async () => {
    expect(
      (await closingLine({ numPassedTests: 7, numRuntimeErrorTestSuites: 1, numPendingTests: 3 }, 0)).stdout,
    ).toBe('7 passed, 4 failed\n');
  });

  it('fails when nothing ran, when there are no results, and when a step before or after failed', async () => {
    const failed = { code: 1, stdout: '0 passed, 1 failed\n' };
    expect(await closingLine({}, 0)).toEqual(failed);
    expect(await closingLine(null, 0)).toEqual(failed);
    expect(await closingLine({ numPassedTests: 7 }, 134)).toEqual({
      code: 1,
      stdout: '7 passed, 1 failed\n',
    });
  });
});
