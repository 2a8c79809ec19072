import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { COLUMN_DETECTORS } from '../../src/detectors/registry.js';
import { UNDECIDED_REASONS } from '../../src/domain/verdict.js';

const document = readFileSync('docs/detectors.md', 'utf8');
const sections = [...document.matchAll(/^## `(\w+)`$/gm)].map((match) => match[1]);
const names = COLUMN_DETECTORS.map((detector) => detector.name);

describe('docs/detectors.md', () => {
  test('has one section per registered detector, and no other', () => {
    expect([...sections].sort()).toEqual([...names].sort());
    expect(new Set(names).size).toBe(names.length);
  });

  test('every detector file is registered', () => {
    const defined = readdirSync('src/detectors').filter((file) =>
      readFileSync(`src/detectors/${file}`, 'utf8').includes('= defineDetector('),
    );
    const registry = readFileSync('src/detectors/registry.ts', 'utf8');
    const imported = [...registry.matchAll(/from '\.\/([\w-]+)\.js'/g)].map((match) => `${match[1]}.ts`);
    expect(imported.filter((file) => file !== 'detector.ts').sort()).toEqual(defined.sort());
    expect(defined).toHaveLength(names.length);
  });

  test('tells kinds, category, role and minimum effect as they are', () => {
    for (const detector of COLUMN_DETECTORS) {
      const row = document.split('\n').find((line) => line.startsWith(`| \`${detector.name}\` |`)) ?? '';
      const cells = row.split('|').map((cell) => cell.trim());
      const kinds = detector.accepts.length === 2 ? 'both' : detector.accepts[0];
      expect(cells.slice(2, 5)).toEqual([kinds, detector.category, detector.role]);
      expect(Number(cells[7])).toBe(detector.minimumEffect);
    }
  });

  test('tells for every detector what its numbers are held against', () => {
    const [, rest = ''] = document.split('## What the numbers are held against');
    const [table = ''] = rest.split('\n## ');
    const told = [...table.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
    expect(told).toEqual(names);
  });

  test('explains every reason for an undecided verdict, and no other', () => {
    const [, table = ''] = document.split('## Why a verdict is undecided');
    const told = [...table.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
    expect(told).toEqual([...UNDECIDED_REASONS]);
  });

  test('points to the isolation forest and to the decision on the temporal null', () => {
    expect(document).toContain('(detectors-isolation-forest.md)');
    expect(readFileSync('docs/adr/0002-temporal-null.md', 'utf8').length).toBeGreaterThan(1_000);
    expect(readFileSync('docs/detectors-isolation-forest.md', 'utf8')).toContain('# isolationForest');
  });
});
