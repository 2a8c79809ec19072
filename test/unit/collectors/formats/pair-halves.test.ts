import { describe, expect, test } from '@jest/globals';
import { createPairReader } from '../../../../src/collectors/formats/pair-halves.js';
import { createMessageReader } from '../../../../src/collectors/formats/read-message.js';
import type { CallHalf } from '../../../../src/domain/prediction.js';
import { HTTP_SOURCE } from '../../../support/rows.js';

const half = (side: CallHalf['side'], data: string): CallHalf => ({
  call: 'c',
  side,
  timestampMs: 0,
  model: 'm',
  payload: `{"specversion":"1.0","id":"c","type":"org.kubeflow.serving.inference.${side}","data":${data}}`,
  source: HTTP_SOURCE,
});
const read = createMessageReader({
  featureKinds: () => undefined,
  earliestMs: () => 0,
  wallClock: () => 0,
});

describe('calls whose sides came apart', () => {
  test('that are nested beyond all measure are rejected, with what was asked', () => {
    const deep = half('request', `{"instances":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
    const outcomes = createPairReader(read, (side) => side)(deep, half('response', '{"predictions":[1]}'));
    expect(outcomes).toEqual([
      {
        kind: 'rejected',
        row: expect.objectContaining({ reason: 'too_deep', payload: deep.payload, model: 'm' }),
      },
    ]);
  });

  test('that were sealed with another key are rejected as they are', () => {
    const [request, response] = [half('request', '{}'), half('response', '{}')];
    const outcomes = createPairReader(read, () => {
      throw new RangeError('no tag fits');
    })(request, response);
    expect(outcomes).toMatchObject([
      {
        kind: 'rejected',
        row: { reason: 'unsupported_payload', detail: expect.stringMatching(/privacy key/) },
      },
    ]);
  });
});
