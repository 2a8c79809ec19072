import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { alertsSchema } from './config-alerts.js';
import { hookSchemas, mlflowSchema } from './config-hooks.js';
import { kafkaSchema } from './config-kafka.js';
import { mappingSchema } from './config-mapping.js';
import { multivariateSchema } from './config-multivariate.js';
import { outliersSchema } from './config-outliers.js';
import { performanceSchema } from './config-performance.js';
import { policySchema } from './config-policy.js';
import { privacyKeySchema, privacyProblems, privacySchema } from './config-privacy.js';
import { referenceProblems, referenceSchema } from './config-reference.js';
import { mailProblems, mailSchema, reportsSchema } from './config-reports.js';
import { AppError, messageOf } from './errors.js';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `250ms`, `10s`, `10m`, `24h`, `7d` → milliseconds. */
const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'a duration is a whole number and a unit, e.g. 10s, 10m, 24h, 7d')
  .transform((text) => {
    const unit = text.replace(/^\d+/, '') as keyof typeof UNIT_MS;
    return Number.parseInt(text, 10) * UNIT_MS[unit];
  });

const wholeHours = duration.refine((ms) => ms >= UNIT_MS.h && ms % UNIT_MS.h === 0, 'must be whole hours');

const windowSpec = z
  .strictObject({
    length: wholeHours.prefault('1h'),
    step: wholeHours.prefault('1h'),
    lateness: duration.prefault('10m'),
  })
  .refine((spec) => spec.length % spec.step === 0, 'length must be a multiple of step');

const policy = policySchema(duration);

/** Verdicts of their own for the most frequent values of tags (`tags.NAME`) or categorical features. */
const segments = z.strictObject({
  by: z.array(z.string().min(1).max(256)).min(1).max(10),
  top: z.int().min(1).max(50).default(5),
});

const { retrain, hooks } = hookSchemas(duration);

const model = z
  .strictObject({
    window: windowSpec.prefault({}),
    policy: policy.prefault({}),
    /** Which policy is in force once one was set through the API: that one, or still this file's. */
    policyFrom: z.enum(['store', 'file']).default('store'),
    reference: referenceSchema.prefault({}),
    segments: segments.optional(),
    performance: performanceSchema.prefault({}),
    outliers: outliersSchema.prefault({}),
    multivariate: multivariateSchema.prefault({}),
    retrain: retrain.optional(),
    hooks,
    /** Reports that are made by themselves: docs/reports.md. */
    reports: reportsSchema(duration),
    mapping: mappingSchema.optional(),
    privacy: privacySchema.optional(),
    /** Events before this date are rejected as ancient. */
    earliest: z.iso.date().default('1971-01-01'),
  })
  .superRefine(({ window, reference, performance, privacy }, context) => {
    for (const { path, message } of privacyProblems(privacy, performance.requestId))
      context.addIssue({ code: 'custom', path, message });
    for (const { path, message } of referenceProblems(reference, window.length))
      context.addIssue({ code: 'custom', path, message });
  });

export const ROLES = ['collector', 'detector', 'api'] as const;

const service = z.strictObject({
  /** What this process does; processes with different roles share one store. */
  roles: z
    .array(z.enum(ROLES))
    .min(1)
    .default([...ROLES]),
  store: z
    .union([
      z.strictObject({ dataDir: z.string() }),
      z.strictObject({
        url: z.url({ protocol: /^https?$/ }),
        database: z.string().regex(/^\w+$/).default('plumbline'),
        username: z.string().default('default'),
        passwordEnv: z.string().optional(),
      }),
    ])
    .prefault({ dataDir: './data' }),
  http: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: z.int().min(0).max(65_535).default(8080),
      keysFile: z.string().optional(),
      insecureListen: z.boolean().default(false),
      /** Where people reach the page, for links in alerts; the listening address when left out. */
      publicUrl: z.url({ protocol: /^https?$/ }).optional(),
    })
    .prefault({}),
  kafka: kafkaSchema.optional(),
  /** `data` follows the newest accepted event, for replays. */
  clock: z.enum(['wall', 'data']).default('wall'),
  jobs: z
    .strictObject({
      /** node-cron expression (six fields: with seconds) of the detection job. */
      cron: z.string().default('*/15 * * * * *'),
      /** Of several detectors over one ClickHouse server one leads; when it is gone another takes its place after so long. */
      lease: duration.refine((ms) => ms >= 2_000, 'must be at least 2s').prefault('20s'),
      /** Worker threads at most; as many as there are processor cores when left out. */
      threads: z.int().min(1).max(256).optional(),
    })
    .prefault({}),
  /** How long the request of an inference call and its answer, logged apart, wait for each other. */
  pairing: z.strictObject({ within: duration.prefault('10m') }).prefault({}),
  webhooks: z
    .strictObject({
      /** Networks and hosts that webhooks may reach although they are private or without TLS: docs/webhooks.md. */
      allow: z.array(z.string().min(1)).default([]),
      /** Send nothing at all, and record what would have been sent. */
      dryRun: z.boolean().default(false),
      /** Takes webhooks of an MLflow Model Registry; with a secret they need no key. */
      mlflow: mlflowSchema.optional(),
    })
    .prefault({}),
  alerts: alertsSchema(duration).prefault({}),
  reports: z
    .strictObject({
      /** Where reports on request are kept; `reports` beside the embedded data, or below the working directory. */
      dir: z.string().optional(),
      /** node-cron expression (six fields: with seconds) of the job that makes those that are due. */
      cron: z.string().default('20 * * * * *'),
    })
    .prefault({}),
  /** The server that mails go through. */
  mail: mailSchema.optional(),
  log: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') })
    .prefault({}),
  models: z.record(z.string(), model).prefault({}),
  /** The key that personal values are hashed with. */
  privacy: privacyKeySchema.optional(),
  /** For models without a section of their own. */
  defaults: model.prefault({}),
});

const nameOf = (section: string) => (section === '' ? 'defaults' : `models.${section}`);

const schema = service.superRefine(({ privacy, mail, models, defaults }, context) => {
  const sections = [...Object.entries(models), ['', defaults] as const];
  const named = sections.map(([name, section]) => [nameOf(name), section] as const);
  for (const message of mailProblems(mail, named))
    context.addIssue({ code: 'custom', path: ['mail'], message });
  const [first] = sections.filter((section) => section[1].privacy !== undefined);
  if (privacy === undefined && first !== undefined)
    context.addIssue({
      code: 'custom',
      path: ['privacy'],
      message: `${nameOf(first[0])} has a privacy policy, which needs a key: set privacy.keyEnv or privacy.keyFile`,
    });
});

export type Config = z.output<typeof service>;
export type ModelConfig = z.output<typeof model>;
export type KafkaSection = z.output<typeof kafkaSchema>;
export type ConfigInput = z.input<typeof service>;

/** Reads one policy section, as in `models.NAME.policy`: for trying it before it is switched on. */
export function parsePolicy(input: unknown, where = 'policies'): ModelConfig['policy'] {
  const result = policy.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `${issue.path.join('.') || 'policy'}: ${issue.message}`,
  );
  throw new AppError('invalid_request', `${where}: ${problems.join('; ')}`);
}

/** Checks a configuration object and reports every problem at once. */
export function parseConfig(input: unknown): Config {
  const result = schema.safeParse(input ?? {});
  if (!result.success) {
    const problems = result.error.issues.map(
      (issue) => `  ${issue.path.join('.') || '(top)'}: ${issue.message}`,
    );
    throw new AppError(
      'config_invalid',
      `the configuration has ${problems.length} problem(s):\n${problems.join('\n')}`,
    );
  }
  return result.data;
}

export function loadConfig(path: string | undefined): unknown {
  if (path === undefined) return {};
  try {
    return parse(readFileSync(path, 'utf8')) ?? {};
  } catch (cause) {
    throw new AppError('config_invalid', `cannot read the configuration ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Reads a secret by reference; secrets never stand in the configuration itself. */
export function readSecret(
  ref: { secretEnv?: string | undefined; secretFile?: string | undefined },
  env = process.env,
): string {
  if (ref.secretEnv !== undefined) {
    const value = env[ref.secretEnv];
    if (value === undefined || value === '')
      throw new AppError(
        'config_invalid',
        `the environment variable ${ref.secretEnv} is empty: set it to the secret`,
      );
    return value;
  }
  const path = ref.secretFile ?? '';
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new AppError('config_invalid', `cannot read the secret file ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

const MIN_KEY_LENGTH = 16;

/** The key that personal values are hashed with; null where no model has a policy. */
export function privacyKey({ privacy }: Pick<Config, 'privacy'>, env = process.env): Buffer | null {
  if (privacy === undefined) return null;
  const key = readSecret({ secretEnv: privacy.keyEnv, secretFile: privacy.keyFile }, env);
  if (key.length < MIN_KEY_LENGTH)
    throw new AppError(
      'config_invalid',
      `the privacy key has ${key.length} characters, at least ${MIN_KEY_LENGTH} are needed: openssl rand -hex 32 makes one`,
    );
  return Buffer.from(key, 'utf8');
}

/** Brokers, credentials and certificates as the Kafka client takes them, read from where the section points to. */
export function kafkaConnection(section: KafkaSection, env = process.env) {
  const { brokers, sasl, ssl } = section;
  const pem = (path: string | undefined) =>
    path === undefined ? undefined : readSecret({ secretFile: path });
  return {
    brokers,
    ...(sasl === undefined
      ? {}
      : {
          sasl: {
            mechanism: sasl.mechanism,
            username: sasl.username,
            password: readSecret({ secretEnv: sasl.passwordEnv, secretFile: sasl.passwordFile }, env),
          },
        }),
    ssl:
      typeof ssl === 'boolean'
        ? ssl
        : { ca: pem(ssl.caFile), cert: pem(ssl.certFile), key: pem(ssl.keyFile) },
  };
}

export function modelConfig(config: Config, name: string): ModelConfig {
  // a model may be called `constructor`
  return (Object.hasOwn(config.models, name) ? config.models[name] : undefined) ?? config.defaults;
}
