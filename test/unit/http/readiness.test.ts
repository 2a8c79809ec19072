import { describe, expect, it } from '@jest/globals';
import { readinessBody } from '../../../src/http/readiness.js';

const kafka = { name: 'kafka', ok: true, detail: 'kafka: reading 3 partition(s)' };

describe('readinessBody', () => {
  it('is ready when the store answers and every check is well', () => {
    expect(readinessBody(null, [])).toEqual({ status: 'ready' });
    expect(readinessBody(null, [kafka])).toEqual({ status: 'ready', checks: [kafka] });
  });

  it('says all that is wrong in one line', () => {
    const failing = { name: 'detection', ok: false, detail: 'detection: last success 901 s ago' };
    expect(readinessBody('the store does not answer', [kafka, failing])).toEqual({
      status: 'not ready',
      reason: 'the store does not answer; detection: last success 901 s ago',
      checks: [kafka, failing],
    });
  });
});
