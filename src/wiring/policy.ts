import { decideEpisode } from '../alerts/policy.js';
import { type Config, type ModelConfig, modelConfig, parsePolicy } from '../config.js';
import { policySection } from '../config-policy.js';
import type { TriedPolicy } from '../domain/backtest.js';
import type { Logger } from '../domain/ports.js';
import type { StoredPolicyStore } from '../domain/stored-policy.js';
import { messageOf } from '../errors.js';
import type { PolicyPorts } from '../http/policy-routes.js';
import type { PolicySettingPorts } from '../http/policy-setting-routes.js';
import { createBacktester } from '../jobs/backtest.js';
import { createLevelChooser } from '../jobs/false-alarm-level.js';
import { createSegmentBaselines } from '../jobs/segments.js';
import { createTuner } from '../jobs/tune-model.js';
import { createEpisodeBudget } from '../stats/episode-budget.js';
import { alarmSettings } from './alarm-settings.js';
import type { Parts } from './parts.js';
import { createPause } from './turns.js';

/** The models' sections, with the policies that are in force: read on a tick, and at once by whoever sets one. */
export function createKnownPolicies(deps: {
  readonly config: Config;
  readonly store: Pick<StoredPolicyStore, 'storedPolicies'>;
  readonly logger: Logger;
}) {
  const { config, store } = deps;
  const logger = deps.logger.child({ component: 'policies' });
  let inForce = new Map<string, ModelConfig>();
  /** As text: what was read before is not parsed, or complained about, again. */
  let known = new Map<string, string>();
  let started = 0;
  let applied = 0;

  /** Null, logged, where this release cannot read what an earlier one stored: then the file's is in force. */
  function read(model: string, policy: Readonly<Record<string, unknown>>): ModelConfig | null {
    try {
      return { ...modelConfig(config, model), policy: parsePolicy(policy, 'policy') };
    } catch (error) {
      logger.error(
        { model, error: messageOf(error) },
        'the stored policy cannot be read: that of the file is in force',
      );
      return null;
    }
  }

  return {
    /** Whether a policy that was set through the API is in force. */
    isStored: (model: string) => inForce.has(model),
    /** The section of a model with the policy in force. */
    settings: (model: string): ModelConfig => inForce.get(model) ?? modelConfig(config, model),
    async refresh(): Promise<void> {
      started += 1;
      const own = started;
      const stored = await store.storedPolicies();
      // A tick that has read before a policy was set must not undo it.
      if (own < applied) return;
      applied = own;
      const next = new Map<string, ModelConfig>();
      const texts = new Map<string, string>();
      for (const { model, policy } of stored) {
        if (policy === null || modelConfig(config, model).policyFrom === 'file') continue;
        const text = JSON.stringify(policy);
        texts.set(model, text);
        const before = known.get(model) === text ? inForce.get(model) : undefined;
        const section = known.get(model) === text ? before : read(model, policy);
        if (section !== undefined && section !== null) next.set(model, section);
      }
      known = texts;
      inForce = next;
    },
  };
}

/** Reading and setting the policy of a model. */
export function policySettings({ config, policies, store, wallClock, logger }: Parts): PolicySettingPorts {
  return {
    store,
    policyOf: (model) => ({
      inForce: policySection(policies.settings(model).policy),
      ofFile: policySection(modelConfig(config, model).policy),
      source: policies.isStored(model) ? 'store' : 'file',
      policyFrom: modelConfig(config, model).policyFrom,
    }),
    check: (policy) => {
      parsePolicy(policy, 'policy');
    },
    changed: policies.refresh,
    nowMs: wallClock.now,
    logger,
  };
}

export type KnownPolicies = ReturnType<typeof createKnownPolicies>;

/** Questions about policies that are not switched on: they read what is stored and change nothing. */
export function wirePolicy({ policies, store, clock, logger }: Parts): PolicyPorts {
  const settings = (model: string) => alarmSettings(policies.settings(model));
  const pause = createPause();
  const budget = createEpisodeBudget({ pause });
  const segments = createSegmentBaselines({
    store,
    segments: (model) => policies.settings(model).segments,
  });
  const levels = createLevelChooser({ store, settings, budget, segments });
  const backtest = createBacktester({
    store,
    segments,
    settings,
    budget,
    decide: decideEpisode,
    pause,
  });

  function tried(name: string, policy: ModelConfig['policy'], model: string): TriedPolicy {
    const { window } = policies.settings(model);
    const { policy: rule, falseEpisodesPer30Days, level } = alarmSettings({ window, policy });
    return { name, policy: rule, falseEpisodesPer30Days, level };
  }

  return {
    store,
    logger,
    tune: createTuner({ store, settings, levels, budget, segments, clock }),
    backtest: (model, { period, policies: asked, shifts }, run) => {
      const inForce = tried('in force', policies.settings(model.model).policy, model.model);
      const others = asked.map(({ name, policy }) => tried(name, parsePolicy(policy), model.model));
      return backtest(model, { period, shifts, policies: [inForce, ...others] }, run);
    },
  };
}
