import type { HookSettings } from '../../src/alerts/alert-engine.js';

/** What the `retrain` section of a configuration comes to. */
export const retrainHook = (settings: Partial<HookSettings> = {}): HookSettings => ({
  name: 'retrain',
  on: ['opened', 'resolved', 'retraining'],
  severity: 'warning',
  categories: ['drift', 'performance', 'dataQuality', 'outliers', 'service'],
  maxPerDay: 1,
  cooldownMs: 0,
  startsRuns: false,
  ...settings,
});
