import { z } from 'zod';

const topicName = z
  .string()
  .regex(/^[\w.-]{1,249}$/, 'a topic has letters, digits, dots, dashes and underscores only');

/** Where events come from: the `kafka` section. */
export const kafkaSchema = z
  .strictObject({
    /** `host:port` of any of the cluster's brokers. */
    brokers: z
      .array(z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[\da-f:.]+\]:\d{1,5}$/i, 'a broker reads host:port'))
      .min(1),
    group: z.string().min(1).max(249).default('plumbline'),
    predictions: z.array(topicName).default(['predictions']),
    labels: z.array(topicName).default([]),
    sasl: z
      .strictObject({
        mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).default('plain'),
        username: z.string().min(1),
        passwordEnv: z.string().optional(),
        passwordFile: z.string().optional(),
      })
      .refine(
        (sasl) => (sasl.passwordEnv === undefined) !== (sasl.passwordFile === undefined),
        'give passwordEnv or passwordFile',
      )
      .optional(),
    /** `true` trusts the system's certificate authorities. */
    ssl: z
      .union([
        z.boolean(),
        z.strictObject({
          caFile: z.string().optional(),
          certFile: z.string().optional(),
          keyFile: z.string().optional(),
        }),
      ])
      .default(false),
  })
  .refine(({ predictions, labels }) => predictions.length + labels.length > 0, 'name at least one topic')
  .refine(
    ({ predictions, labels }) =>
      new Set([...predictions, ...labels]).size === predictions.length + labels.length,
    'a topic stands once, in predictions or in labels',
  );
