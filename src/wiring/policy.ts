import { decideEpisode } from '../alerts/policy.js';
import { type ModelConfig, modelConfig, parsePolicy } from '../config.js';
import type { TriedPolicy } from '../domain/backtest.js';
import type { PolicyPorts } from '../http/policy-routes.js';
import { createBacktester } from '../jobs/backtest.js';
import { createLevelChooser } from '../jobs/false-alarm-level.js';
import { createSegmentBaselines } from '../jobs/segments.js';
import { createTuner } from '../jobs/tune-model.js';
import { createEpisodeBudget } from '../stats/episode-budget.js';
import { alarmSettings } from './alarm-settings.js';
import type { Parts } from './parts.js';
import { createPause } from './turns.js';

/** Questions about policies that are not switched on: they read what is stored and change nothing. */
export function wirePolicy({ config, store, clock, logger }: Parts): PolicyPorts {
  const settings = (model: string) => alarmSettings(modelConfig(config, model));
  const pause = createPause();
  const budget = createEpisodeBudget({ pause });
  const segments = createSegmentBaselines({
    store,
    segments: (model) => modelConfig(config, model).segments,
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
    const { window } = modelConfig(config, model);
    const { policy: rule, falseEpisodesPer30Days, level } = alarmSettings({ window, policy });
    return { name, policy: rule, falseEpisodesPer30Days, level };
  }

  return {
    store,
    logger,
    tune: createTuner({ store, settings, levels, budget, segments, clock }),
    backtest: (model, { period, policies, shifts }, run) => {
      const inForce = tried('in force', modelConfig(config, model.model).policy, model.model);
      const others = policies.map(({ name, policy }) => tried(name, parsePolicy(policy), model.model));
      return backtest(model, { period, shifts, policies: [inForce, ...others] }, run);
    },
  };
}
