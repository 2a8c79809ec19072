import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { conceptDriftText, showConceptDrift } from '../../../src/cli/concept-drift.js';
import type { ErrorStreamAnswer } from '../../../src/domain/error-stream.js';
import { NO_ERRORS } from '../../support/performance-rows.js';

const FOUND: ErrorStreamAnswer = {
  ...NO_ERRORS,
  errors: 27_800,
  unmatched: 3,
  detectors: [
    { detector: 'adwin', errors: 3_384, meanError: 0.2816 },
    { detector: 'ddm', errors: 0, meanError: null },
  ],
  detections: [{ detector: 'adwin', position: 24_416, labelMs: Date.UTC(2013, 2, 26, 12, 14) }],
};

describe('model concept-drift', () => {
  it('tells what each detector looks back on, and where each saw a change', () => {
    const said = conceptDriftText(FOUND);
    expect(said).toMatch(
      /^churn version 3: 27,800 labelled predictions looked at, 3 labels without a prediction\n/,
    );
    expect(said).toMatch(/\nadwin +3384 +0\.282\n/);
    expect(said).toMatch(/\nddm +0 +–\n/);
    expect(said).toMatch(/\n26 Mar 2013 12:14 +adwin +24416\n/);
    expect(said).toContain('none of this alarms anybody');
  });

  it('says where no change was seen, and what to do before the first label', () => {
    expect(conceptDriftText({ ...FOUND, detections: [] })).toContain('No change was seen.');
    const before = conceptDriftText(NO_ERRORS);
    expect(before).toContain('send labels to /v1/labels');
    expect(before).not.toContain('No change was seen');
  });

  it('asks for the newest detections', async () => {
    const asked: string[] = [];
    const output = { json: true, stdout: new PassThrough(), stderr: new PassThrough() };
    const client = {
      get: async (path: string) => {
        asked.push(path);
        return FOUND;
      },
    };
    await showConceptDrift(client, { model: 'a/b', version: '3', limit: '5' }, output);
    output.stdout.end();
    expect(asked).toEqual(['/v1/models/a%2Fb/concept-drift?version=3&limit=5']);
    expect(JSON.parse(await text(output.stdout))).toEqual(FOUND);
  });
});
