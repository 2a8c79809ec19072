import { createHash } from 'node:crypto';
import { mapFields } from '../collectors/formats/map-fields.js';
import { createPrivacy, type Privacy } from '../collectors/privacy.js';
import { type Config, modelConfig, privacyKey } from '../config.js';
import type { PrivacyPolicy } from '../domain/privacy.js';
import { type PrivacySettings, unlikePolicy } from '../jobs/treat-reference.js';
import { mappings, type Parts } from './parts.js';

/** Hex digits by which a key is told apart from others. */
const KEY_ID_LENGTH = 8;

export const policyOf =
  (config: Config) =>
  (model: string): PrivacyPolicy | null =>
    modelConfig(config, model).privacy ?? null;

/** Null where no model has a policy: rows are then not looked at. */
export function wirePrivacy(
  parts: Pick<Parts, 'config' | 'registry' | 'metrics'>,
  key: Buffer | null,
): Privacy | null {
  const { config, registry, metrics } = parts;
  const sections = [config.defaults, ...Object.values(config.models)];
  if (key === null || sections.every(({ privacy }) => privacy === undefined)) return null;
  const { mappingOf, modelNamed } = mappings(parts);
  return createPrivacy({
    key,
    policyOf: policyOf(config),
    featureKinds: registry.featureKinds,
    appliedRules: registry.appliedRules,
    knownModel: (name) => modelNamed([name]) ?? (Object.hasOwn(config.models, name) ? name : undefined),
    undeclaredDropped: (model, modelVersion) =>
      metrics.undeclaredDropped.inc({ model, model_version: modelVersion }),
    mapped: (model, event) => {
      const mapping = mappingOf(model);
      return mapping === null ? event : mapFields(event, mapping);
    },
  });
}

/** What registrations treat references by; undefined where no model has a policy. */
export function privacySettings(config: Config): PrivacySettings | undefined {
  const bytes = privacyKey(config);
  if (bytes === null) return undefined;
  const id = createHash('sha256').update('key id\0').update(bytes).digest('hex').slice(0, KEY_ID_LENGTH);
  return { policyOf: policyOf(config), key: { bytes, id } };
}

/** A policy that came after a registration holds for rows at once, and for the reference when it is registered again. */
export async function warnOfPolicies({ config, store, logger }: Parts): Promise<void> {
  const settings = privacySettings(config);
  if (settings === undefined) return;
  for (const version of await store.listModels()) {
    const features = unlikePolicy(settings, version);
    if (features.length === 0) continue;
    const { model, modelVersion } = version;
    logger.warn(
      { model, modelVersion, features },
      'features are treated otherwise than when the version was registered and do not compare with its reference: delete the model and register it again (docs/privacy.md)',
    );
  }
}
