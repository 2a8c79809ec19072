import { describe, expect, it } from '@jest/globals';
import { fuzzDecoders } from '../../support/fuzz-decoders.js';

describe('decoders of all formats', () => {
  it('make rows or a reason of 9,000 changed messages, and never fail', async () => {
    const { inputs, outcomes } = await fuzzDecoders({ seed: 20_260_101, inputs: 9_000 });
    expect(inputs).toBe(9_000);
    // Neither all is refused nor all is taken: otherwise it would prove little.
    for (const kind of [
      'prediction',
      'label',
      'half',
      'rejected',
      'unreadable',
      'invalid_request',
      'quick',
      'metadata refused',
    ])
      expect([kind, (outcomes[kind] ?? 0) > 50]).toEqual([kind, true]);
  });
});
