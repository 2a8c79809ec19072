import type { EpisodePolicy } from '../alerts/policy.js';
import type { ModelConfig } from '../config.js';
import type { AlarmSettings } from '../jobs/false-alarm-level.js';

/** A model's windows and policy as the jobs take them. */
export function alarmSettings({ window, policy }: Pick<ModelConfig, 'window' | 'policy'>): AlarmSettings {
  const [openCount, openWindows] = policy.open.split('of').map(Number);
  return {
    window: { lengthMs: window.length, stepMs: window.step, latenessMs: window.lateness },
    policy: {
      openCount: openCount ?? 1,
      openWindows: openWindows ?? 1,
      closeCount: policy.close,
      cooldownMs: policy.cooldown,
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
