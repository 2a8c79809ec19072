import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FeatureSchema, ModelVersion } from '../domain/model.js';
import type { ReferenceReader } from '../domain/ports.js';
import type { AppliedRule, PrivacyPolicy } from '../domain/privacy.js';
import type { HashKey } from '../domain/reference-ports.js';
import { AppError, type ErrorCode } from '../errors.js';

/** Models' policies and the key, as registrations apply them. */
export interface PrivacySettings {
  /** Null for a model whose values are kept. */
  readonly policyOf: (model: string) => PrivacyPolicy | null;
  readonly key: HashKey;
}

export interface TreatedReference {
  readonly path: string;
  /** How each treated column was. */
  readonly applied: ReadonlyMap<string, AppliedRule>;
  /** The policy's rules; empty where the model has none. */
  readonly rules: PrivacyPolicy['features'];
}

/** What the model's features were treated with, by the versions registered so far. */
function knownRules(versions: readonly ModelVersion[]): Map<string, AppliedRule> {
  const known = new Map<string, AppliedRule>();
  for (const { schema } of versions)
    for (const { name, privacy } of schema.features) if (privacy !== undefined) known.set(name, privacy);
  return known;
}

/** `use` gets the reference as it may be stored: a file of its own, which is gone afterwards, where the model has a policy. */
export async function withTreatedReference<T>(
  deps: {
    readonly store: Pick<ReferenceReader, 'treatFile'>;
    readonly privacy?: PrivacySettings | undefined;
  },
  { path, model, versions }: { path: string; model: string; versions: readonly ModelVersion[] },
  use: (treated: TreatedReference) => Promise<T>,
): Promise<T> {
  const policy = deps.privacy?.policyOf(model) ?? null;
  if (policy === null || deps.privacy === undefined) return use({ path, applied: new Map(), rules: {} });
  const directory = await mkdtemp(join(tmpdir(), 'plumbline-treated-'));
  try {
    const target = join(directory, 'reference.parquet');
    const known = knownRules(versions);
    const { key } = deps.privacy;
    const applied = await deps.store.treatFile({ path, target, rules: policy.features, known, key });
    return await use({ path: target, applied, rules: policy.features });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The hash of a reference's rows, made of that of its file and of how it was treated. */
export function treatedHash(fileHash: string, { applied, rules }: TreatedReference): string {
  if (Object.keys(rules).length === 0) return fileHash;
  const dropped = Object.keys(rules).filter((name) => rules[name] === 'drop');
  const how = JSON.stringify([[...applied].sort(), dropped.sort()]);
  return createHash('sha256').update(`${fileHash} ${how}`).digest('hex');
}

/** Features with how they were treated. */
export function withRules(
  features: readonly FeatureSchema[],
  applied: ReadonlyMap<string, AppliedRule>,
): FeatureSchema[] {
  return features.map((feature) => {
    const privacy = applied.get(feature.name);
    return privacy === undefined ? feature : { ...feature, privacy };
  });
}

/** Counts of differently treated values cannot be compared, and a model's versions share their cells. Throws with `code`. */
export function assertSameRules(
  versions: readonly ModelVersion[],
  features: readonly FeatureSchema[],
  code: ErrorCode,
): void {
  const now = new Map(features.map(({ name, privacy }) => [name, privacy]));
  for (const { model, modelVersion, schema } of versions)
    for (const { name, privacy } of schema.features) {
      if (!now.has(name) || JSON.stringify(now.get(name)) === JSON.stringify(privacy)) continue;
      throw new AppError(
        code,
        `the privacy of ${name} is ${told(now.get(name))} now and was ${told(privacy)} when version ${modelVersion} of ${model} was registered: what was counted then cannot be compared with; delete the model and register it again`,
      );
    }
}

function told(rule: AppliedRule | undefined): string {
  if (rule === undefined) return 'keep';
  if (rule.rule === 'hash') return `hash (key ${rule.key})`;
  if ('width' in rule) return `buckets of ${rule.width}`;
  return 'edges' in rule
    ? `${rule.edges.length} learned buckets`
    : `the ${rule.values.length} most frequent values`;
}

/**
 * Declared features as they may be stored. Throws invalid_schema where a rule needs a reference to learn from, does not fit the kind,
 * or leaves no feature.
 */
export function treatDeclared(
  settings: PrivacySettings | undefined,
  model: string,
  declared: readonly FeatureSchema[],
  versions: readonly ModelVersion[],
): FeatureSchema[] {
  const policy = settings?.policyOf(model) ?? null;
  if (settings === undefined || policy === null) return [...declared];
  const known = knownRules(versions);
  const features = declared.flatMap((feature): FeatureSchema[] => {
    const { name, kind } = feature;
    const rule = Object.hasOwn(policy.features, name) ? policy.features[name] : 'keep';
    if (rule === undefined || rule === 'keep') return [feature];
    if (rule === 'drop') return [];
    if (rule === 'hash')
      return [{ name, kind: 'categorical', privacy: { rule: 'hash', key: settings.key.id } }];
    if (typeof rule === 'object' && 'width' in rule) {
      if (kind === 'numeric') return [{ name, kind, privacy: { rule: 'bucket', width: rule.width } }];
      throw new AppError('invalid_schema', `the privacy rule of ${name} gives a width, and it is ${kind}`);
    }
    const learned = known.get(name);
    if (learned?.rule === 'bucket' && !('width' in learned))
      return [{ name, kind: 'edges' in learned ? 'numeric' : 'categorical', privacy: learned }];
    throw new AppError(
      'invalid_schema',
      `the buckets of ${name} are learned from a reference: register one, or set privacy.features to { width: NUMBER } or hash`,
    );
  });
  if (features.length === 0)
    throw new AppError('invalid_schema', `the privacy policy of ${model} drops every feature`);
  return features;
}

/** Features that are treated otherwise now than when the version was registered: their counts do not compare with the reference's. */
export function unlikePolicy({ policyOf, key }: PrivacySettings, { model, schema }: ModelVersion): string[] {
  const rules = policyOf(model)?.features ?? {};
  const isAlike = ({ name, privacy }: FeatureSchema): boolean => {
    const rule = Object.hasOwn(rules, name) ? rules[name] : 'keep';
    if (rule === undefined || rule === 'keep') return privacy === undefined;
    if (rule === 'hash') return privacy?.rule === 'hash' && privacy.key === key.id;
    if (rule === 'drop' || privacy?.rule !== 'bucket') return false;
    if (typeof rule === 'object' && 'width' in rule)
      return 'width' in privacy && privacy.width === rule.width;
    return !('width' in privacy);
  };
  return schema.features.filter((feature) => !isAlike(feature)).map(({ name }) => name);
}
