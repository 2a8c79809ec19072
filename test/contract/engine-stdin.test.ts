import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';

const BUILD = fileURLToPath(new URL('../../build/', import.meta.url));

describe('the embedded engine, in a process with a stdin', () => {
  let directory: string;
  let program: string;
  let runs = 0;
  let child: ChildProcess | null = null;

  beforeAll(async () => {
    mkdirSync(BUILD, { recursive: true });
    // Inside the repository, so that the program finds chdb in node_modules.
    directory = mkdtempSync(join(BUILD, 'engine-stdin-'));
    program = join(directory, 'insert.mjs');
    await build({
      entryPoints: [fileURLToPath(new URL('../support/engine-insert-main.ts', import.meta.url))],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'warning',
    });
  });
  // A process that waits for its stdin ends by nothing else.
  afterEach(() => {
    child?.kill('SIGKILL');
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const start = () => {
    const started = spawn(process.execPath, [program, join(directory, `data-${runs++}`)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child = started;
    return started;
  };

  test.each(['ends', 'stays open'])(
    'that has rows and %s: inserts those of the statement alone',
    async (after) => {
      const { stdin, stdout } = start();
      stdin.write('{"a":99}\n');
      if (after === 'ends') stdin.end();
      expect(await text(stdout)).toBe('[{"a":1}]\n');
    },
    60_000,
  );

  test('that is open and empty: inserts, and ends', async () => {
    const started = start();
    const exited = once(started, 'exit');
    expect(await text(started.stdout)).toBe('[{"a":1}]\n');
    expect(await exited).toEqual([0, null]);
  }, 60_000);
});
