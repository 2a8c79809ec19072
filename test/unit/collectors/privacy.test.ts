import { describe, expect, test } from '@jest/globals';
import { createMessageReader, type Message } from '../../../src/collectors/formats/read-message.js';
import { createPrivacy } from '../../../src/collectors/privacy.js';
import { createHasher } from '../../../src/collectors/treat-values.js';
import { idOfCall } from '../../../src/domain/erasure.js';
import type { AppliedRule, PrivacyPolicy } from '../../../src/domain/privacy.js';
import { HTTP_SOURCE, labelRow, named, predictionRow, rejectedRow } from '../../support/rows.js';

const KEY = Buffer.from('0123456789abcdef');
const POLICY: PrivacyPolicy = {
  features: {
    email: 'drop',
    postcode: 'hash',
    age: { width: 10 },
    income: 'bucket',
    city: { top: 2 },
    plan: 'keep',
  },
  tags: { customer: 'hash', note: 'drop' },
  predictionId: 'keep',
  undeclared: 'keep',
};
const KINDS = new Map<string, 'numeric' | 'categorical'>([
  ['postcode', 'categorical'],
  ['age', 'numeric'],
  ['income', 'numeric'],
  ['city', 'categorical'],
  ['plan', 'categorical'],
]);
const APPLIED = new Map<string, AppliedRule>([
  ['income', { rule: 'bucket', edges: [100, 200, 300] }],
  ['city', { rule: 'bucket', values: ['Bern', 'Basel'] }],
]);
const hash = createHasher(KEY);

function privacyOf(
  policy: Partial<PrivacyPolicy> = {},
  registered = true,
  undeclaredDropped?: (model: string, modelVersion: string) => void,
) {
  return createPrivacy({
    key: KEY,
    policyOf: (model) => (model === 'churn' ? { ...POLICY, ...policy } : null),
    featureKinds: () => (registered ? KINDS : undefined),
    appliedRules: () => (registered ? APPLIED : undefined),
    knownModel: (name) => (['churn', 'open'].includes(name) ? name : undefined),
    mapped: (_, event) => event,
    undeclaredDropped,
  });
}

const ROW = predictionRow('p1', {
  numeric: named([
    ['age', 37],
    ['income', 250],
    ['height', 180],
  ]),
  categorical: named([
    ['email', 'ann@example.org'],
    ['postcode', '3011'],
    ['city', 'Thun'],
    ['plan', 'pro'],
  ]),
  tags: named([
    ['customer', 'c-17'],
    ['note', 'called twice'],
    ['region', 'eu'],
  ]),
});
const entries = <V>({ names, values }: { names: readonly string[]; values: readonly V[] }) =>
  Object.fromEntries(names.map((name, index) => [name, values[index]]));

describe('rows of a model with a policy', () => {
  test('hold treated values only', () => {
    const treated = privacyOf().treatPrediction(ROW);
    expect(entries(treated.numeric)).toEqual({ age: 30, income: 200, height: 180 });
    expect(entries(treated.categorical)).toEqual({
      postcode: hash('postcode', '3011'),
      city: 'other',
      plan: 'pro',
    });
    expect(entries(treated.tags)).toEqual({ customer: hash('tags.customer', 'c-17'), region: 'eu' });
    expect(treated.predictionId).toBe('p1');
  });

  test('are the same when treated again', () => {
    const { treatPrediction } = privacyOf({ predictionId: 'hash' });
    const once = treatPrediction(ROW);
    expect(treatPrediction(once)).toEqual(once);
  });

  test('the hash is the HMAC of column and value, so that equal values of two columns differ', () => {
    // python3: hmac.new(b'0123456789abcdef', b'postcode\x003011', 'sha256').hexdigest()[:16]
    expect(hash('postcode', '3011')).toBe('hmac:d46a288a2146e575');
    expect(hash('zip', '3011')).not.toBe(hash('postcode', '3011'));
  });

  test('a number hashed, a text in a numeric bucket, and numbers beyond the edges', () => {
    const { treatPrediction } = privacyOf();
    const treated = treatPrediction({
      ...ROW,
      numeric: named([
        ['postcode', 3011],
        ['income', -5],
        ['city', 7],
      ]),
      categorical: named([['age', 'thirty-seven']]),
    });
    expect(entries(treated.numeric)).toEqual({ income: 100 });
    expect(entries(treated.categorical)).toEqual({
      postcode: hash('postcode', '3011'),
      city: 'other',
      age: 'other',
    });
    const infinite = treatPrediction({ ...ROW, numeric: named([['income', Number.POSITIVE_INFINITY]]) });
    expect(entries(infinite.numeric)).toEqual({ income: Number.POSITIVE_INFINITY });
  });

  test('buckets that nobody has learned yet keep nothing', () => {
    const treated = privacyOf({}, false).treatPrediction(ROW);
    expect(entries(treated.numeric)).toEqual({ age: 30, height: 180 });
    expect(treated.categorical.names).not.toContain('city');
  });

  test('undeclared features are dropped where the policy says so', () => {
    const told: string[] = [];
    const { treatPrediction } = privacyOf({ undeclared: 'drop' }, true, (model, version) =>
      told.push(`${model} ${version}`),
    );
    expect(treatPrediction(ROW).numeric.names).toEqual(['age', 'income']);
    treatPrediction({ ...ROW, numeric: named([['age', 1]]) });
    expect(told).toEqual(['churn 3']);
  });

  test('a prediction and its label have the same hashed id', () => {
    const { treatPrediction, treatLabel } = privacyOf({ predictionId: 'hash' });
    expect(treatPrediction(ROW).predictionId).toBe(hash('prediction_id', 'p1'));
    expect(treatLabel(labelRow('p1')).predictionId).toBe(hash('prediction_id', 'p1'));
  });

  test('a model without a policy gets its very row back', () => {
    const row = predictionRow('p1', { model: 'open' });
    expect(privacyOf().treatPrediction(row)).toBe(row);
  });
});

describe('rejected messages', () => {
  const event = {
    prediction_id: 'p1',
    model: 'churn',
    model_version: '9',
    timestamp: '2026-01-01T00:00:00Z',
    features: { age: 37, email: 'ann@example.org', postcode: 3011, plan: 'pro', nested: { name: 'Ann' } },
    prediction: 1,
    tags: { customer: 'c-17' },
    comment: 'Ann called',
  };
  const rejected = (payload: unknown, over = {}) =>
    rejectedRow({ payload: typeof payload === 'string' ? payload : JSON.stringify(payload), ...over });

  test('keep the known fields with treated values', () => {
    const { payload } = privacyOf().redact(rejected(event));
    expect(JSON.parse(payload)).toEqual({
      prediction_id: 'p1',
      model: 'churn',
      model_version: '9',
      timestamp: '2026-01-01T00:00:00Z',
      features: { age: 30, postcode: hash('postcode', '3011'), plan: 'pro', nested: {} },
      prediction: 1,
      tags: { customer: hash('tags.customer', 'c-17') },
    });
    expect(privacyOf().redact(rejected(payload)).payload).toBe(payload);
  });

  test('that are nested beyond all measure are not kept, and stop nobody', () => {
    const deep = JSON.stringify(event).replace(
      '"prediction":1',
      `"prediction":${'['.repeat(9_000)}${']'.repeat(9_000)}`,
    );
    expect(privacyOf().redact(rejected(deep)).payload).toBe('');
  });

  test.each([
    ['no JSON', '{"features":{"email":"ann@example.org"'],
    ['no event of ours', { model: 'churn', instances: [['ann@example.org', 37]] }],
    ['of a model that nobody knows', { ...event, model: 'chrun' }],
    ['without a model', { features: event.features }],
    ['with a value whose buckets are not known', { ...event, features: { ...event.features, income: 1 } }],
  ])('are not kept: %s', (_, payload) => {
    const row = privacyOf({}, false).redact(rejected(payload));
    expect(row.payload).toBe('');
    expect(row.detail).toContain('the message is not kept');
  });

  test('of a model without a policy stay as they came', () => {
    const row = rejected({ ...event, model: 'open' });
    expect(privacyOf().redact(row)).toBe(row);
  });

  test('what a mapped event or a call is rejected for is kept as an event of ours', () => {
    const read = createMessageReader({
      featureKinds: () => undefined,
      earliestMs: () => 0,
      wallClock: () => Date.UTC(2026, 0, 2),
      mappingOf: () => ({
        serves: [],
        output: 'value',
        threshold: 0.5,
        version: '9',
        featureNames: ['age', 'email'],
      }),
      privacy: privacyOf(),
    });
    const message: Message = {
      value: {
        model: 'churn',
        prediction_id: 'p1',
        timestamp: '2026-01-01T00:00:00Z',
        request: { instances: [[37, 'ann@example.org']] },
        response: { predictions: [1] },
      },
      text: 'the message',
      kind: 'prediction',
      source: HTTP_SOURCE,
      index: 0,
      defaultId: null,
    };
    const [outcome] = read(message);
    expect(outcome?.kind).toBe('rejected');
    if (outcome?.kind !== 'rejected') return;
    expect(outcome.row.reason).toBe('unknown_model');
    expect(JSON.parse(outcome.row.payload)).toMatchObject({ features: { age: 30 }, prediction: 1 });
    expect(outcome.row.payload).not.toContain('ann@');
  });
});

describe('sides of calls', () => {
  const half = {
    call: '["http://x/","ann@example.org"]',
    side: 'request' as const,
    timestampMs: 0,
    model: 'churn',
    payload: '{"email":"ann@example.org"}',
    source: HTTP_SOURCE,
  };

  test('are unreadable until they are paired', () => {
    const { seal, open } = privacyOf();
    const sealed = seal(half);
    expect(sealed.payload).not.toContain('ann@');
    expect(Buffer.from(sealed.payload.slice(7), 'base64').toString('utf8')).not.toContain('ann@');
    expect(open(sealed).payload).toBe(half.payload);
    expect(seal(sealed)).toBe(sealed);
  });

  test('share a hash of what they shared, by which their call is found again and nobody read', () => {
    const { seal } = privacyOf();
    const { call } = seal(half);
    expect(call).not.toContain('ann@');
    expect(call).not.toContain('http');
    expect(privacyOf().seal({ ...half, side: 'response', payload: '{}' }).call).toBe(call);
    expect(seal({ ...half, call: '["http://y/","ann@example.org"]' }).call).not.toBe(call);
    expect(idOfCall(call)).toBe(hash('prediction_id', 'ann@example.org'));
    expect(seal({ ...half, call: 'ann@example.org' }).call).not.toContain('ann@');
  });

  test('another key does not open them', () => {
    const sealed = privacyOf().seal(half);
    const other = createPrivacy({
      key: Buffer.from('another key, long enough'),
      policyOf: () => POLICY,
      featureKinds: () => KINDS,
      appliedRules: () => APPLIED,
      knownModel: (name) => name,
      mapped: (_, event) => event,
    });
    expect(() => other.open(sealed)).toThrow(RangeError);
  });

  test('of a model that nobody knows are sealed too: it may be a misspelt one', () => {
    const { seal, open, redact } = privacyOf();
    const sealed = seal({ ...half, model: 'chrun' });
    expect(JSON.stringify(sealed)).not.toContain('ann@');
    expect(open(sealed).payload).toBe(half.payload);
    expect(redact(rejectedRow({ model: 'chrun', payload: sealed.payload })).payload).toBe('');
  });

  test('that were sealed and given up are kept readable where their model has no policy after all', () => {
    const { seal, redact } = privacyOf();
    const { payload } = seal({ ...half, model: 'chrun' });
    expect(redact(rejectedRow({ model: 'open', payload })).payload).toBe(half.payload);
    const foreign = `sealed:${Buffer.alloc(40).toString('base64')}`;
    expect(redact(rejectedRow({ model: 'open', payload: foreign })).payload).toBe(foreign);
  });

  test('of a model without a policy stay as they are', () => {
    const plain = { ...half, model: 'open' };
    expect(privacyOf().seal(plain)).toBe(plain);
  });
});
