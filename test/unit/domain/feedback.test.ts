import { describe, expect, it } from '@jest/globals';
import type { EpisodeDriver } from '../../../src/domain/episode.js';
import { detectorRecords } from '../../../src/domain/feedback.js';

const driver = (feature: string, detector: string): EpisodeDriver => ({
  feature,
  detector,
  statistic: 1,
  threshold: 0.1,
  effect: 1,
});

describe('records of detectors', () => {
  it('counts an episode once for each detector that drove it, by its mark', () => {
    const drift = (id: string, ...detectors: string[]) => ({
      id,
      category: 'drift' as const,
      drivers: detectors.flatMap((detector) => [driver('a', detector), driver('b', detector)]),
    });
    const missing = { id: 'q', category: 'dataQuality' as const, drivers: [driver('a', 'ks')] };
    const records = detectorRecords(
      [drift('1', 'ks', 'psi'), drift('2', 'ks'), drift('3', 'ks'), missing],
      [
        { episodeId: '1', mark: 'true' },
        { episodeId: '2', mark: 'false' },
        { episodeId: 'gone', mark: 'true' },
      ],
    );
    expect(records).toEqual([
      { category: 'dataQuality', detector: 'ks', trueEpisodes: 0, falseEpisodes: 0, unmarked: 1 },
      { category: 'drift', detector: 'ks', trueEpisodes: 1, falseEpisodes: 1, unmarked: 1 },
      { category: 'drift', detector: 'psi', trueEpisodes: 1, falseEpisodes: 0, unmarked: 0 },
    ]);
  });
});
