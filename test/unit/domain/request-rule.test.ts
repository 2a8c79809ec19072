import { describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../../src/config.js';
import { requestIdProblem, requestRuleOf } from '../../../src/domain/request-rule.js';
import { DAY_MS, HOUR_MS, pieceEnd, pieceStart } from '../../../src/domain/window.js';

describe('how predictions name their requests', () => {
  it('is the prediction id, part of it, or a tag', () => {
    expect(requestRuleOf('{request}', '3')).toEqual({ tag: '', prefix: '', suffix: '' });
    expect(requestRuleOf('{request}-v{version}', '3')).toEqual({ tag: '', prefix: '', suffix: '-v3' });
    expect(requestRuleOf('v{version}/{request}', '3')).toEqual({ tag: '', prefix: 'v3/', suffix: '' });
    expect(requestRuleOf('tags.trace', '3')).toEqual({ tag: 'trace', prefix: '', suffix: '' });
  });

  it('says what is wrong with a rule', () => {
    expect(requestIdProblem('tags.')).toBe('tags. needs the name of a tag');
    for (const wrong of ['id', '{version}', '{request}{request}', ''])
      expect(() => requestRuleOf(wrong, '1')).toThrow('must hold {request} once');
    expect(() => parseConfig({ models: { churn: { performance: { requestId: 'v{version}' } } } })).toThrow(
      'must hold {request} once',
    );
  });
});

describe('pieces of time', () => {
  const at = Date.UTC(2026, 2, 29, 13, 20);

  it('begin at hours, days, Mondays and months of UTC', () => {
    const start = (piece: Parameters<typeof pieceStart>[1]) =>
      new Date(pieceStart(at, piece)).toISOString().slice(0, 13);
    expect([start('hour'), start('day'), start('week'), start('month'), pieceStart(at, 'all')]).toEqual([
      '2026-03-29T13',
      '2026-03-29T00',
      '2026-03-23T00',
      '2026-03-01T00',
      0,
    ]);
    expect(pieceStart(at, { ms: 2 * HOUR_MS })).toBe(Date.UTC(2026, 2, 29, 12));
  });

  it('end where the next begins', () => {
    for (const piece of ['hour', 'day', 'week', 'month', { ms: 3 * DAY_MS }] as const) {
      const start = pieceStart(at, piece);
      expect(pieceStart(pieceEnd(start, piece), piece)).toBe(pieceEnd(start, piece));
      expect(pieceStart(pieceEnd(start, piece) - 1, piece)).toBe(start);
    }
  });
});
