import { describe, expect, test } from '@jest/globals';
import { createWriteGate } from '../../../src/store/write-gate.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));
function held() {
  let end: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { promise, end };
}

describe('the write gate', () => {
  test('lets writers through side by side, and one alone when they have ended', async () => {
    const gate = createWriteGate();
    const log: string[] = [];
    const [a, b] = [held(), held()];
    const writes = [gate.pass(() => a.promise), gate.pass(() => b.promise)];
    const alone = gate.alone(async () => {
      log.push('alone');
      await turn();
      log.push('alone ended');
    });
    const late = gate.pass(async () => log.push('late writer'));
    const second = gate.alone(async () => log.push('second'));
    a.end();
    await turn();
    expect(log).toEqual([]);
    b.end();
    await Promise.all([...writes, alone, late, second]);
    expect(log.slice(0, 2)).toEqual(['alone', 'alone ended']);
    expect(log.slice(2).sort()).toEqual(['late writer', 'second']);
  });

  test('opens again after a failure of either', async () => {
    const gate = createWriteGate();
    const failing = gate.pass(() => Promise.reject(new Error('a write')));
    const alone = gate.alone(() => Promise.reject(new Error('alone')));
    await expect(failing).rejects.toThrow('a write');
    await expect(alone).rejects.toThrow('alone');
    expect(await gate.pass(async () => 1)).toBe(1);
    expect(await gate.alone(async () => 2)).toBe(2);
  });

  test('does not keep writers waiting for one that takes too long', async () => {
    const gate = createWriteGate(20);
    const slow = held();
    const writing = gate.pass(() => slow.promise);
    const alone = gate.alone(async () => undefined);
    const other = gate.pass(async () => 'written');
    await expect(alone).rejects.toMatchObject({ code: 'overloaded', retryable: true });
    expect(await other).toBe('written');
    slow.end();
    await writing;
  });
});
