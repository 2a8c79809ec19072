import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';

it('the scanner that is committed is what its source compiles to', async () => {
  const { compiledScanner } = await import(resolve('scripts/wasm/compile.mjs'));
  expect(readFileSync('src/collectors/scan/scan-wasm.ts', 'utf8')).toBe(compiledScanner());
});
