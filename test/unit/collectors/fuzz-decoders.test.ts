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

  it('are fed the same again from the number of an input', async () => {
    const seed = 7;
    const { slow } = await fuzzDecoders({ seed, inputs: 400, slowMs: 0 });
    expect(slow).toHaveLength(20);
    // No more than are kept.
    const near = slow.filter(({ input, from }) => input - from < 20);
    expect(near).not.toEqual([]);
    for (const { input, from, batch, bytesBase64 } of near) {
      const again = await fuzzDecoders({ seed, from, inputs: input - from + 1, slowMs: -1 });
      expect(again.slow.find((other) => other.input === input)).toMatchObject({ batch, bytesBase64 });
    }
  });
});
