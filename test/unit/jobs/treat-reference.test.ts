import { describe, expect, test } from '@jest/globals';
import type { FeatureSchema, ModelVersion } from '../../../src/domain/model.js';
import type { PrivacyPolicy, PrivacyRule } from '../../../src/domain/privacy.js';
import {
  assertSameRules,
  type PrivacySettings,
  treatDeclared,
  unlikePolicy,
} from '../../../src/jobs/treat-reference.js';

const settings = (features: Record<string, PrivacyRule>, id = 'k1'): PrivacySettings => {
  const policy: PrivacyPolicy = { features, tags: {}, predictionId: 'keep', undeclared: 'keep' };
  return { policyOf: () => policy, key: { bytes: Buffer.from('0123456789abcdef'), id } };
};
const versionWith = (...features: FeatureSchema[]): ModelVersion => ({
  model: 'churn',
  modelVersion: '1',
  schema: { task: 'binary', features },
  registeredAtMs: 0,
});
const AGE: FeatureSchema = { name: 'age', kind: 'numeric' };
const CITY: FeatureSchema = { name: 'city', kind: 'categorical' };

describe('declared features under a policy', () => {
  test('are hashed as categories, bucketed by width, and dropped', () => {
    const rules = { zip: 'hash', age: { width: 5 }, email: 'drop' } as const;
    const declared: FeatureSchema[] = [
      { name: 'zip', kind: 'numeric' },
      AGE,
      { name: 'email', kind: 'categorical' },
      CITY,
    ];
    expect(treatDeclared(settings(rules), 'churn', declared, [])).toEqual([
      { name: 'zip', kind: 'categorical', privacy: { rule: 'hash', key: 'k1' } },
      { ...AGE, privacy: { rule: 'bucket', width: 5 } },
      CITY,
    ]);
  });

  test('learned buckets come from a version with a reference, or are refused', () => {
    const privacy = { rule: 'bucket', edges: [1, 2] } as const;
    const known = [versionWith({ ...AGE, privacy })];
    expect(treatDeclared(settings({ age: 'bucket' }), 'churn', [AGE], known)).toEqual([{ ...AGE, privacy }]);
    expect(() => treatDeclared(settings({ age: 'bucket' }), 'churn', [AGE], [])).toThrow(
      /learned from a reference/,
    );
  });

  test.each([
    [{ city: { width: 5 } }, [CITY], /gives a width/],
    [{ age: 'drop' } as const, [AGE], /drops every feature/],
  ])('refuses %j', (rules, declared, message) => {
    expect(() => treatDeclared(settings(rules), 'churn', declared, [])).toThrow(message);
  });
});

test('versions whose features are treated differently are refused', () => {
  const hashed = (key: string): FeatureSchema => ({ ...CITY, privacy: { rule: 'hash', key } });
  const assert = (before: FeatureSchema, now: FeatureSchema[]) =>
    assertSameRules([versionWith(before)], now, 'invalid_reference');
  expect(() => assert(CITY, [hashed('k1')])).toThrow(
    'the privacy of city is hash (key k1) now and was keep when version 1 of churn was registered',
  );
  expect(() => assert(hashed('k1'), [hashed('k2')])).toThrow(/key k2.*key k1/);
  expect(() => assert(hashed('k1'), [hashed('k1'), AGE])).not.toThrow();
  expect(() => assert(CITY, [AGE])).not.toThrow();
});

test('features that are treated otherwise than when registered are named', () => {
  const version = versionWith(
    AGE,
    { ...CITY, privacy: { rule: 'hash', key: 'k1' } },
    { name: 'income', kind: 'numeric', privacy: { rule: 'bucket', edges: [1] } },
  );
  expect(unlikePolicy(settings({ city: 'hash', income: 'bucket' }), version)).toEqual([]);
  expect(unlikePolicy(settings({ city: 'hash', income: 'bucket' }, 'k2'), version)).toEqual(['city']);
  expect(unlikePolicy(settings({ age: { width: 5 }, city: 'drop' }), version)).toEqual([
    'age',
    'city',
    'income',
  ]);
});
