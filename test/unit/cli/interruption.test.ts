import { describe, expect, it } from '@jest/globals';
import { unlessInterrupted } from '../../../src/cli/interruption.js';

const listeners = () => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');

describe('work that may be interrupted', () => {
  it('ends at the first Ctrl-C', async () => {
    const before = listeners();
    const work = unlessInterrupted('the replay', new Promise<never>(() => undefined));
    process.emit('SIGINT', 'SIGINT');
    await expect(work).rejects.toMatchObject({
      code: 'interrupted',
      message: 'the replay was interrupted before its end: start it again',
    });
    expect(listeners()).toBe(before);
  });

  it('gives its result, or its failure, and leaves no listener behind', async () => {
    const before = listeners();
    await expect(unlessInterrupted('it', Promise.resolve(7))).resolves.toBe(7);
    await expect(unlessInterrupted('it', Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError);
    expect(listeners()).toBe(before);
  });
});
