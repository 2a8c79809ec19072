import { z } from 'zod';
import { RESERVED_FEATURES } from './domain/model.js';
import { REQUEST } from './domain/request-rule.js';
import { TAG_PREFIX } from './domain/segment.js';

const name = z.string().min(1).max(256);

/** The `privacy` section of a model: what becomes of personal values before anything is stored (docs/privacy.md). */
export const privacySchema = z.strictObject({
  features: z
    .record(
      name,
      z.union(
        [
          z.enum(['keep', 'hash', 'bucket', 'drop']),
          z.strictObject({ width: z.number().gt(0).max(1e15) }),
          z.strictObject({ top: z.int().min(1).max(1_000) }),
        ],
        'must be keep, hash, bucket, drop, { width: NUMBER } or { top: NUMBER }',
      ),
    )
    .refine(
      (features) => Object.keys(features).every((feature) => !RESERVED_FEATURES.has(feature)),
      `${[...RESERVED_FEATURES].join(', ')} are the model's outputs, not features`,
    )
    .prefault({}),
  tags: z.record(name, z.enum(['keep', 'hash', 'drop'])).prefault({}),
  predictionId: z.enum(['keep', 'hash']).default('keep'),
  undeclared: z.enum(['keep', 'drop']).default('keep'),
});

/** Where the key for hashes is. */
export const privacyKeySchema = z
  .strictObject({ keyEnv: z.string().min(1).optional(), keyFile: z.string().min(1).optional() })
  .refine(
    ({ keyEnv, keyFile }) => (keyEnv === undefined) !== (keyFile === undefined),
    'give keyEnv or keyFile',
  );

/** What a policy takes from the comparison of versions. */
export function privacyProblems(
  policy: z.output<typeof privacySchema> | undefined,
  requestId: string,
): { readonly path: string[]; readonly message: string }[] {
  if (policy === undefined) return [];
  const problems: { path: string[]; message: string }[] = [];
  if (policy.predictionId === 'hash' && requestId !== REQUEST && !requestId.startsWith(TAG_PREFIX))
    problems.push({
      path: ['performance', 'requestId'],
      message: 'finds no request in hashed prediction ids: use {request} or tags.NAME',
    });
  for (const [tag, rule] of Object.entries(policy.tags))
    if (rule === 'drop' && requestId === `${TAG_PREFIX}${tag}`)
      problems.push({
        path: ['privacy', 'tags', tag],
        message: 'is what performance.requestId reads: hash it, or name another',
      });
  return problems;
}
