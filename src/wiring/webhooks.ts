import { createAddressGuard } from '../alerts/address-guard.js';
import type { HookSettings } from '../alerts/alert-engine.js';
import { createGuardedRequest } from '../alerts/guarded-request.js';
import { reportHook } from '../alerts/report-events.js';
import type { ConfiguredHook } from '../alerts/webhook-desk.js';
import { RETRAIN_HOOK } from '../alerts/webhook-events.js';
import { presetOf } from '../alerts/webhook-presets.js';
import { createWebhookSink, type HookCredentials } from '../alerts/webhook-sink.js';
import { type Config, type ModelConfig, modelConfig, readSecret } from '../config.js';
import type { Clock } from '../domain/clock.js';
import { AppError } from '../errors.js';

type HookConfig = NonNullable<ModelConfig['retrain']>;

function credentialsOf(hook: HookConfig): HookCredentials {
  const read = (env: string | undefined, file: string | undefined) =>
    env === undefined && file === undefined ? undefined : readSecret({ secretEnv: env, secretFile: file });
  const secret = read(hook.secretEnv, hook.secretFile);
  const token = read(hook.tokenEnv, hook.tokenFile);
  const password = read(hook.passwordEnv, hook.passwordFile);
  return {
    ...(secret === undefined ? {} : { secret }),
    ...(token === undefined ? {} : { token }),
    ...(password === undefined || hook.username === undefined ? {} : { username: hook.username, password }),
  };
}

function settingsOf(name: string, hook: HookConfig): HookSettings {
  const { startsRuns } = presetOf(hook.preset);
  return {
    name,
    on: hook.on ?? (startsRuns ? ['retraining'] : ['opened', 'resolved', 'retraining']),
    severity: hook.severity,
    categories: hook.categories,
    maxPerDay: hook.maxPerDay,
    cooldownMs: hook.cooldown,
    startsRuns,
  };
}

/** Of a hook that is told of one report alone. */
const OF_REPORTS = {
  ...{ preset: 'webhook', params: {}, inputs: {}, on: ['report'] },
  ...{ maxPerDay: 1, cooldown: 0, severity: 'warning', categories: [] },
} satisfies Partial<HookConfig>;

/**
 * The hooks of the configuration. Secrets are read and addresses looked at now, so that a wrong one is found at the start.
 *
 * @throws AppError config_invalid, naming model and hook
 */
export function createHooks(config: Config, wallClock: Clock) {
  const guard = createAddressGuard(config.webhooks);
  const send = createGuardedRequest(guard);

  function hookOf(where: string, name: string, hook: HookConfig): ConfiguredHook {
    try {
      const { preset, url, params, inputs } = hook;
      const dryRun = hook.dryRun || config.webhooks.dryRun;
      const refusal = guard.refusalOf(new URL(url));
      if (refusal !== null) throw new AppError('config_invalid', refusal);
      const sink = createWebhookSink({
        preset,
        address: { url, params, inputs },
        credentials: credentialsOf(hook),
        dryRun,
        clock: wallClock,
        send,
      });
      return { settings: settingsOf(name, hook), preset, dryRun, sink };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw new AppError(error.code, `the hook ${name} of ${where}: ${error.message}`, { cause: error });
    }
  }

  const hooksOf = (where: string, { retrain, hooks, reports }: ModelConfig): ConfiguredHook[] => [
    ...(retrain === undefined ? [] : [hookOf(where, RETRAIN_HOOK, retrain)]),
    ...hooks.map((hook) => hookOf(where, hook.name, hook)),
    ...reports.flatMap(({ name, webhook }) =>
      webhook === undefined ? [] : [hookOf(where, reportHook(name), { ...OF_REPORTS, ...webhook })],
    ),
  ];
  const sections = new Map(
    [...Object.values(config.models), config.defaults].map((section) => {
      const where = Object.keys(config.models).find((name) => config.models[name] === section);
      return [section, hooksOf(where ?? 'defaults', section)] as const;
    }),
  );

  const hooksFor = (model: string): readonly ConfiguredHook[] =>
    sections.get(modelConfig(config, model)) ?? [];
  return {
    hooksFor,
    find: (model: string, name: string): ConfiguredHook | null =>
      hooksFor(model).find((hook) => hook.settings.name === name) ?? null,
  };
}

/** The secret that the MLflow registry signs with; null where it signs with none. Throws config_invalid. */
export function mlflowSecret({ webhooks: { mlflow } }: Config): string | null {
  if (mlflow?.secretEnv === undefined && mlflow?.secretFile === undefined) return null;
  return readSecret(mlflow);
}

/** Base of the links in events, without a slash at the end. */
export const publicUrlOf = ({ http }: Config): string =>
  http.publicUrl?.replace(/\/+$/, '') ?? `http://${http.host}:${http.port}`;

export type Hooks = ReturnType<typeof createHooks>;
