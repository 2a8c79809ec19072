import type { EpisodePolicy } from '../alerts/policy.js';
import type { ModelConfig } from '../config.js';
import type { Policy } from '../domain/episode.js';
import { EPISODE_CATEGORIES } from '../domain/verdict.js';
import type { AlarmSettings } from '../jobs/false-alarm-level.js';

type PolicySection = ModelConfig['policy'];

function closing(close: PolicySection['close']): Pick<Policy, 'closeCount' | 'closeWindows'> {
  const [closeCount = 1, closeWindows] = String(close).split('of').map(Number);
  return { closeCount, ...(closeWindows === undefined ? {} : { closeWindows }) };
}

function criticalFrom({ critical, ...own }: PolicySection['severity']): NonNullable<Policy['criticalFrom']> {
  const of = (category: keyof typeof own) => own[category] ?? critical;
  const from = EPISODE_CATEGORIES.map((category) => [category, of(category)] as const);
  return Object.fromEntries(
    from.map(([category, value]) => [category, value === 'never' ? null : value]),
  ) as NonNullable<Policy['criticalFrom']>;
}

/** A model's windows and policy as the jobs take them. */
export function alarmSettings({ window, policy }: Pick<ModelConfig, 'window' | 'policy'>): AlarmSettings {
  const [openCount = 1, openWindows = 1] = policy.open.split('of').map(Number);
  return {
    window: { lengthMs: window.length, stepMs: window.step, latenessMs: window.lateness },
    policy: {
      openCount,
      openWindows,
      ...closing(policy.close),
      cooldownMs: policy.cooldown,
      minimumRows: policy.minimumRows,
      criticalFrom: criticalFrom(policy.severity),
    },
    falseEpisodesPer30Days: policy.falseEpisodesPer30Days,
    level: policy.level,
  };
}

/** A model's policy as episodes follow it. */
export function episodePolicy(model: Pick<ModelConfig, 'window' | 'policy'>): EpisodePolicy {
  const { policy, window } = alarmSettings(model);
  return { ...policy, stepMs: window.stepMs };
}
