import { modelConfig } from '../config.js';
import { createLevelChooser } from '../jobs/false-alarm-level.js';
import { createTuner } from '../jobs/tune-model.js';
import { createEpisodeBudget } from '../stats/episode-budget.js';
import { alarmSettings } from './alarm-settings.js';
import type { Parts } from './parts.js';

/** Questions about policies that are not switched on: they read what is stored and change nothing. */
export function wirePolicy({ config, store, clock }: Parts) {
  const settings = (model: string) => alarmSettings(modelConfig(config, model));
  const budget = createEpisodeBudget();
  const levels = createLevelChooser({ store, settings, budget });
  return { tune: createTuner({ store, settings, levels, budget, clock }) };
}
