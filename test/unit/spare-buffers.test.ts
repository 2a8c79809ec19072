import { expect, test } from '@jest/globals';
import { createSpareBuffers } from '../../src/spare-buffers.js';

test('gives memory of the next power of two, the same again after it came back, and never one piece twice', () => {
  const spare = createSpareBuffers(1 << 20);
  const first = spare.take(100_000);
  expect(first.byteLength).toBe(131_072);
  spare.give(first);
  expect(spare.take(120_000)).toBe(first);
  expect(spare.take(120_000)).not.toBe(first);
  expect(spare.take(0).byteLength).toBe(1);
});

test('keeps no more than it may, nothing small, and nothing of another kind', () => {
  const spare = createSpareBuffers(100_000);
  const [one, two] = [spare.take(65_536), spare.take(65_536)];
  spare.give(one);
  spare.give(two);
  expect(spare.take(65_536)).toBe(one);
  expect(spare.take(65_536)).not.toBe(two);
  for (const other of [new ArrayBuffer(1_024), new ArrayBuffer(70_000), new SharedArrayBuffer(65_536)]) {
    spare.give(other);
    expect(spare.take(other.byteLength)).not.toBe(other);
  }
});
