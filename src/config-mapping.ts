import { z } from 'zod';

const path = z.string().min(1).max(512);
const name = z.string().min(1).max(256);

/** The `mapping` section of a model: where its serving system's messages have what ours call otherwise (docs/formats.md). */
export const mappingSchema = z.strictObject({
  serves: z.array(name).max(100).default([]),
  version: z.string().min(1).max(120).optional(),
  predictionId: path.optional(),
  timestamp: path.optional(),
  prediction: path.optional(),
  probability: path.optional(),
  label: path.optional(),
  latencyMs: path.optional(),
  features: z
    .union(
      [path, z.array(name).min(1).max(2_000), z.record(name, path)],
      'must be a path, names, or name: path',
    )
    .optional(),
  tags: z.record(name, path).optional(),
  featureNames: z
    .array(name)
    .min(1)
    .max(2_000)
    .refine((names) => new Set(names).size === names.length, 'a name is there twice')
    .optional(),
  output: z.enum(['value', 'probability']).default('value'),
  threshold: z.number().gt(0).lt(1).default(0.5),
  classes: z
    .array(z.union([name, z.number()]))
    .min(2)
    .max(1_000)
    .optional(),
});
