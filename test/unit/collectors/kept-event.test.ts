import { describe, expect, test } from '@jest/globals';
import { keptText } from '../../../src/collectors/kept-event.js';

const EVENT = {
  prediction_id: 'p1',
  model_version: '9',
  timestamp: '2026-01-01T00:00:00Z',
  features: { age: 37 },
  prediction: 1,
};
const kept = (kind: 'prediction' | 'label', event: object) =>
  keptText(kind, event as Readonly<Record<string, unknown>>, {
    model: 'churn',
    id: (id) => id,
    feature: () => null,
    tag: () => null,
  }) ?? '';

describe('rejected events', () => {
  test('are not kept with an id or a tag that was rounded: treated, it would pass for another one', () => {
    expect(kept('prediction', { ...EVENT, prediction_id: 2 ** 53 })).toBe('');
    expect(kept('label', { ...EVENT, prediction_id: 2 ** 60 })).toBe('');
    expect(kept('prediction', { ...EVENT, tags: { customer: -(2 ** 53) } })).toBe('');
    expect(kept('prediction', { ...EVENT, tags: { customer: 2 ** 53 - 1 } })).not.toBe('');
  });

  test.each([
    ['prediction_id', ['ann@example.org'], null],
    ['prediction_id', true, null],
    ['model_version', { name: 'Ann' }, null],
    ['row_index', 'ann@example.org', null],
    ['timestamp', 'ann@example.org', null],
    ['timestamp', '+41 79 555 12 34', null],
    ['timestamp', ['2026-01-01', 'Ann'], null],
    ['timestamp', '2026-02-30 12:00:00.5 +01:00', '2026-02-30 12:00:00.5 +01:00'],
    ['timestamp', 1e300, 1e300],
    ['latency_ms', 'ann@example.org', null],
    ['latency_ms', -1, -1],
    ['prediction', { class: 1, email: 'ann@example.org' }, null],
    ['prediction', ['ann@example.org'], null],
    ['prediction', 'yes', 'yes'],
    ['prediction', true, true],
    ['prediction_proba', { yes: 2, email: 'ann@example.org' }, {}],
    ['prediction_proba', ['ann@example.org'], []],
    ['prediction_proba', 'ann@example.org', null],
    ['prediction_proba', { yes: 2, no: -1 }, { yes: 2, no: -1 }],
    ['prediction_proba', [0.5, 2], [0.5, 2]],
  ])('keep of %s %j: %j', (name, value, expected) => {
    expect(JSON.parse(kept('prediction', { ...EVENT, [name]: value }))[name]).toEqual(expected);
  });

  test.each([
    [{ email: 'ann@example.org' }, null],
    [['ann@example.org'], null],
    ['churned', 'churned'],
    [1, 1],
  ])('keep of the label %j: %j', (label, expected) => {
    expect(JSON.parse(kept('label', { ...EVENT, label }))).toMatchObject({
      prediction_id: 'p1',
      label: expected,
    });
  });
});
