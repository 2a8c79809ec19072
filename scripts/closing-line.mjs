// usage: node scripts/closing-line.mjs RESULTS STATUS   prints `N passed, N failed` from jest's JSON results.
// Exit 1 when anything failed, was skipped, or nothing ran: a run that proves nothing is not a success.
import { existsSync, readFileSync } from 'node:fs';

const [path = '', status = '1'] = process.argv.slice(2);
let passed = 0;
let failed = 0;
if (existsSync(path)) {
  const results = JSON.parse(readFileSync(path, 'utf8'));
  passed = results.numPassedTests;
  // A file that cannot be loaded has no failed test of its own, yet it failed. A skipped test proves nothing.
  failed =
    results.numFailedTests +
    results.numRuntimeErrorTestSuites +
    results.numPendingTests +
    results.numTodoTests;
  if (results.numPendingTests + results.numTodoTests > 0) {
    console.error(`${results.numPendingTests + results.numTodoTests} skipped test(s) count as failed`);
  }
}
// The build, a check, or jest itself failed without a failed test to show for it.
if (failed === 0 && (status !== '0' || passed === 0)) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
