import { describe, expect, test } from '@jest/globals';
import { appendRecord, createRangeBuffer } from '../../../src/collectors/range-buffer.js';
import { createRecordDecoders } from '../../../src/collectors/record-decoders.js';
import type { Logger } from '../../../src/domain/ports.js';

const event = (id: string) =>
  Buffer.from(
    `{"prediction_id":"${id}","model":"m","model_version":"1","timestamp":1767225600000,"features":{"x":1.5},"prediction":1}`,
  );

describe('record decoders', () => {
  test('leave a record that the quick reader fails on, and all after it, to the ordinary decoder', () => {
    const errors: object[] = [];
    const logger: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (fields) => errors.push(fields),
      child: () => logger,
    };
    const bug = new TypeError('planned');
    let calls = 0;
    const decoders = createRecordDecoders({
      featureKinds: () => new Map([['x', 'numeric']]),
      earliestMs: () => 0,
      // The ordinary decoder asks first; the quick reader, which has learnt the form by then, second.
      wallClock: () => {
        calls += 1;
        if (calls === 2) throw bug;
        return 1_767_225_700_000;
      },
      logger,
    });
    const buffer = createRangeBuffer(0, []);
    for (const [offset, id] of ['a', 'b', 'c'].entries()) {
      const source = { kind: 'kafka', topic: 't', partition: 0, offset };
      appendRecord(buffer, 'prediction', { offset, value: event(id) }, source, decoders);
    }
    expect(
      [...buffer.predictions].map(({ predictionId, numeric }) => [predictionId, numeric.values]),
    ).toEqual([
      ['a', [1.5]],
      ['b', [1.5]],
      ['c', [1.5]],
    ]);
    expect(buffer.rejected).toEqual([]);
    expect(errors).toEqual([{ err: bug }]);
    expect(calls).toBe(4);
  });
});
