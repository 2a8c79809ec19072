import { describe, expect, test } from '@jest/globals';
import { hash64, rowIdentity, safeToken } from '../../../src/store/identity.js';

const row = { model: 'churn', modelVersion: '3', predictionId: 'r1', rowIndex: 0 };

describe('hash64', () => {
  test('never changes, since tables hold it', () => {
    expect(['', 'a', 'churn\x003\x000\x00r1', '日本 😀'].map(hash64)).toMatchInlineSnapshot(`
[
  "2064296912612480065",
  "1693831962507222379",
  "38121425310760839",
  "3441612880140149478",
]
`);
  });

  test('spreads like chance: no two of 50,000 similar ids are equal, 32-bit halves meet as often as expected', () => {
    const hashes = Array.from({ length: 50_000 }, (_, index) =>
      BigInt(hash64(`flight-delay\x001\x000\x00r${index}`)),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
    // n²/2³³ = 0.29 pairs expected in each half; six or more has a chance of 6e-7.
    for (const half of [(hash: bigint) => hash >> 32n, (hash: bigint) => hash & 0xffff_ffffn])
      expect(hashes.length - new Set(hashes.map(half)).size).toBeLessThan(6);
  });

  test('turns half of the bits over when one bit of the text changes', () => {
    const turned = new Array<number>(64).fill(0);
    const trials = 2_000;
    for (let trial = 0; trial < trials; trial += 1) {
      const text = `US${trial}-201303011000-EWR-v1`;
      const at = trial % text.length;
      const other = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
      const difference = BigInt(hash64(text)) ^ BigInt(hash64(other));
      for (let bit = 0; bit < 64; bit += 1)
        turned[bit] = (turned[bit] ?? 0) + Number((difference >> BigInt(bit)) & 1n);
    }
    // Five standard deviations of a fair coin.
    for (const count of turned) expect(Math.abs(count / trials - 0.5)).toBeLessThan(0.056);
  });
});

describe('rowIdentity', () => {
  test('tells apart names whose parts meet elsewhere', () => {
    const others = [
      { ...row, model: 'churn3', modelVersion: '' },
      { ...row, rowIndex: 1 },
      { ...row, predictionId: 'r10' },
      { ...row, modelVersion: '30', predictionId: 'r1' },
    ];
    expect(new Set([row, ...others].map(rowIdentity)).size).toBe(others.length + 1);
  });
});

describe('safeToken', () => {
  test('keeps plain tokens and hashes the others', () => {
    expect(safeToken('kafka/topic-1/0/17-230/p')).toBe('kafka/topic-1/0/17-230/p');
    expect(safeToken("it's; \\' DROP")).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(safeToken('x'.repeat(201))).toMatch(/^sha256:/);
    expect(safeToken('ä')).not.toBe(safeToken('ö'));
  });

  test('refuses an empty one, which the engine would read as none', () => {
    expect(() => safeToken('')).toThrow(RangeError);
  });
});
