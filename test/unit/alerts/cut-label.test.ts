import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { cutLabel, MAX_LABEL_BYTES } from '../../../src/alerts/cut-label.js';

test('a sentence that is too long for Prometheus ends at a word, with a sign', () => {
  expect(cutLabel('temp: its median went from 36 to 64.')).toBe('temp: its median went from 36 to 64.');
  const long = `dewp: ${'its median went from 23 → 36, and '.repeat(10)}`;
  const cut = cutLabel(long);
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(MAX_LABEL_BYTES);
  expect(Buffer.byteLength(cut)).toBeGreaterThan(MAX_LABEL_BYTES - 12);
  expect(long.startsWith(cut.slice(0, -2))).toBe(true);
  expect(cut.endsWith(' …')).toBe(true);
  expect(cutLabel('x'.repeat(500))).toBe('…');
});

test('the bound is that of the Prometheus configuration, which drops a whole scrape beyond it', () => {
  expect(readFileSync('prometheus/prometheus.yml', 'utf8')).toContain(
    `label_value_length_limit: ${MAX_LABEL_BYTES}\n`,
  );
});
