import { z } from 'zod';
import { limit, text } from './request-schemas.js';

const hookScope = { model: text.optional(), hook: text.optional() };
const withModel = <T extends { model?: string | undefined; hook?: string | undefined }>(scope: T) =>
  scope.hook === undefined || scope.model !== undefined;
const NEEDS_MODEL = 'hook: say of which model';

export const webhookQuery = z.strictObject({
  ...hookScope,
  state: z.enum(['pending', 'delivered', 'failed', 'skipped']).optional(),
  limit,
});
export const webhookReplay = z
  .strictObject({ id: text.optional(), ...hookScope })
  .refine((body) => body.id === undefined || body.model === undefined, 'give id, or model and hook')
  .refine(withModel, NEEDS_MODEL);
export const webhookTest = z.strictObject({
  model: text,
  hook: text.optional(),
  dryRun: z.boolean().default(false),
});
export const webhookPause = z
  .strictObject({ ...hookScope, reason: z.string().max(500).default('') })
  .refine(withModel, NEEDS_MODEL);
export const webhookResume = z.strictObject(hookScope).refine(withModel, NEEDS_MODEL);
