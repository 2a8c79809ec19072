import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { alertOf, EPISODE_ALERTS } from '../../../src/alerts/episode-alerts.js';
import { EPISODE_CATEGORIES } from '../../../src/domain/verdict.js';
import { episode } from '../../support/entities.js';

interface Rule {
  readonly alert?: string;
  readonly expr: string;
  readonly annotations?: Record<string, string>;
}
const rules = (
  parse(readFileSync(new URL('../../../prometheus/rules/plumbline.yml', import.meta.url), 'utf8')) as {
    groups: { rules: Rule[] }[];
  }
).groups.flatMap((group) => group.rules);

describe('alerts of episodes', () => {
  it.each(EPISODE_CATEGORIES)('of %s are those of the Prometheus rules', (category) => {
    const rule = rules.find(({ expr }) => expr.includes(`plumbline_episode_open{category="${category}"}`));
    const alert = alertOf(episode('e', { category }), 'people', { publicUrl: 'https://plumbline.example' });
    expect(rule).toMatchObject({
      alert: EPISODE_ALERTS[category].name,
      annotations: { summary: EPISODE_ALERTS[category].summary },
    });
    const kept = /by \(([^)]*)\)/.exec(rule?.expr ?? '')?.[1]?.split(', ') ?? [];
    expect(Object.keys(alert.labels).toSorted()).toEqual(['alertname', ...kept].toSorted());
  });

  it('say what happened, and lead to the page and, where it is known, to the runbook', () => {
    const drifted = episode('e', { model: 'a/b', why: ['age: its median moved.'], severity: 'critical' });
    const links = { publicUrl: 'https://plumbline.example', runbooksUrl: 'https://books.example' };
    expect(alertOf(drifted, 'drift', links)).toEqual({
      labels: {
        alertname: 'PlumblineDrift',
        model: 'a/b',
        model_version: drifted.modelVersion,
        severity: 'critical',
        route: 'drift',
      },
      annotations: {
        summary: "A model's inputs or predictions have drifted from its training baseline.",
        description: `a/b version ${drifted.modelVersion} has an open drift episode (critical). age: its median moved.`,
        page_url: `https://plumbline.example/models/a%2Fb/versions/${drifted.modelVersion}`,
        runbook_url: 'https://books.example/PlumblineDrift.md',
      },
      startsAtMs: drifted.openedAtMs,
      generatorURL: `https://plumbline.example/models/a%2Fb/versions/${drifted.modelVersion}`,
    });
    const figures = { kind: null, figure: null, value: null, low: null, high: null, reference: null };
    const moved = { ...drifted, performance: { moved: 'not_moved', ...figures } } as const;
    expect(alertOf(moved, 'drift', links).annotations.description).toMatch(
      /age: its median moved\. Performance did not move with it\.$/,
    );
    expect(alertOf(drifted, 'drift', { publicUrl: '' }).annotations).not.toHaveProperty('runbook_url');
  });
});
