import { z } from 'zod';
import { PRESET_NAMES, presetOf } from './alerts/webhook-presets.js';

const CATEGORIES = ['drift', 'performance', 'dataQuality', 'outliers', 'service'] as const;
const MOMENTS = ['opened', 'resolved', 'retraining', 'report'] as const;

/** Webhooks that the MLflow Model Registry sends here. */
export const mlflowSchema = z
  .strictObject({
    secretEnv: z.string().optional(),
    secretFile: z.string().optional(),
    /** Only versions that get this alias are announced; every new one when left out. */
    alias: z.string().min(1).max(255).optional(),
  })
  .refine(
    ({ secretEnv, secretFile }) => secretEnv === undefined || secretFile === undefined,
    'give a secret by secretEnv or by secretFile, not by both',
  );

/**
 * The parts of the configuration that describe hooks: where an episode is told, or what it starts.
 *
 * @param duration reads `10m` and its like as ms
 */
export function hookSchemas(duration: z.ZodType<number, string>) {
  const target = {
    /** Which API the request is for: docs/webhooks.md. `webhook` is a signed Standard Webhook. */
    preset: z.enum(PRESET_NAMES).default('webhook'),
    url: z.url({ protocol: /^https?$/ }),
    params: z.record(z.string(), z.string()).default({}),
    inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
    secretEnv: z.string().optional(),
    secretFile: z.string().optional(),
    tokenEnv: z.string().optional(),
    tokenFile: z.string().optional(),
    username: z.string().min(1).optional(),
    passwordEnv: z.string().optional(),
    passwordFile: z.string().optional(),
    maxPerDay: z.int().min(1).default(1),
    /** Least time between two starts. */
    cooldown: duration.prefault('0s'),
    /** Record what would be sent, send nothing. */
    dryRun: z.boolean().default(false),
    /** What it is told; retraining only where each request starts a run, else all of episodes. */
    on: z.array(z.enum(MOMENTS)).min(1).optional(),
    severity: z.enum(['warning', 'critical']).default('warning'),
    categories: z
      .array(z.enum(CATEGORIES))
      .min(1)
      .default([...CATEGORIES]),
  };

  const complete = <T extends z.ZodObject<typeof target>>(schema: T) =>
    schema
      .refine(
        (hook) =>
          presetOf(hook.preset).auth[0] !== 'signature' ||
          (hook.secretEnv === undefined) !== (hook.secretFile === undefined),
        'give secretEnv or secretFile',
      )
      .refine(
        (hook) => hook.preset === 'webhook' || hook.on?.includes('report') !== true,
        'only the preset webhook is told of reports',
      )
      .refine(
        (hook) =>
          [
            [hook.secretEnv, hook.secretFile],
            [hook.tokenEnv, hook.tokenFile],
            [hook.passwordEnv, hook.passwordFile],
          ].every((pair) => pair.filter((value) => value !== undefined).length < 2),
        'give a secret by …Env or by …File, not by both',
      )
      .refine(
        (hook) =>
          (hook.username === undefined) ===
          (hook.passwordEnv === undefined && hook.passwordFile === undefined),
        'username goes with passwordEnv or passwordFile',
      );

  const name = z
    .string()
    .regex(/^[\w-]{1,60}$/, 'a hook has a name of letters, digits, - and _')
    .refine((text) => text !== 'retrain', 'retrain is the name of the retrain section');

  return {
    retrain: complete(z.strictObject(target)),
    hooks: z
      .array(complete(z.strictObject({ name, ...target })))
      .refine(
        (hooks) => new Set(hooks.map((hook) => hook.name)).size === hooks.length,
        'two hooks of the model have the same name',
      )
      .default([]),
  };
}
