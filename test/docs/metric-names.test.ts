import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { EPISODE_CATEGORIES } from '../../src/domain/verdict.js';
import { createMetrics } from '../../src/metrics.js';
import { createSidecarMetrics } from '../../src/sidecar/metrics.js';

const root = new URL('../../', import.meta.url);

function filesUnder(folder: string): string[] {
  return readdirSync(new URL(folder, root), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}

function exportedNames(): Set<string> {
  const names = new Set<string>();
  const registries = [createMetrics().registry, createSidecarMetrics(() => null).registry];
  for (const { name, type } of registries.flatMap((registry) => registry.getMetricsAsArray())) {
    names.add(name);
    if (String(type) === 'histogram')
      for (const end of ['bucket', 'sum', 'count']) names.add(`${name}_${end}`);
  }
  return names;
}

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly expr: string;
}

const rules = (
  parse(readFileSync(new URL('prometheus/rules/plumbline.yml', root), 'utf8')) as {
    groups: { rules: Rule[] }[];
  }
).groups.flatMap((group) => group.rules);
const alerts = rules.filter((rule) => rule.alert !== undefined);

describe('metric names', () => {
  it.each(['prometheus', 'grafana', 'docs'])('in %s are exported by the service', (folder) => {
    const exported = exportedNames();
    const recorded = new Set(rules.map((rule) => rule.record));
    const used = filesUnder(folder).flatMap((file) => [
      ...readFileSync(file, 'utf8').matchAll(
        /(?<![\w:/-])(?:\w+:)*plumbline_\w+(?::\w+)*|plumbline:\w+:\w+/g,
      ),
    ]);
    const unknown = new Set(
      used.map(([name]) => name).filter((name) => !exported.has(name) && !recorded.has(name)),
    );
    expect([...unknown]).toEqual([]);
    expect(used.length).toBeGreaterThan(5);
  });
});

describe('alert rules', () => {
  it.each(alerts.map((rule) => [rule.alert ?? '', rule] as const))(
    '%s has a severity, the annotations of a mixin, a runbook, and tests that fire and stay silent',
    (name, rule) => {
      expect(name).toMatch(/^Plumbline[A-Z]/);
      expect(rule.labels?.severity !== undefined || /by \([^)]*severity[^)]*\)/.test(rule.expr)).toBe(true);
      expect(rule.annotations?.summary).toMatch(/^[A-Z][^{]*\.$/);
      // A sentence of the episode may follow.
      expect(rule.annotations?.description).toMatch(/\.(?: \{\{- with .*\{\{ end \}\})?$/);
      expect(rule.annotations?.dashboard_url).toMatch(/^https:\/\/grafana\.example\/d\/plumbline-/);
      expect(rule.annotations?.runbook_url).toBe(`https://runbooks.example/plumbline/${name}.md`);
      expect(readFileSync(new URL(`docs/runbooks/${name}.md`, root), 'utf8')).toMatch(
        new RegExp(`^# ${name}\n.*## What it means\n.*## What is at stake\n.*## Look\n.*## Do\n`, 's'),
      );
      const tested = readFileSync(new URL('prometheus/rules/plumbline.test.yml', root), 'utf8');
      const cases = parse(tested) as {
        tests: { alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[] }[];
      };
      const own = cases.tests
        .flatMap((test) => test.alert_rule_test ?? [])
        .filter((test) => test.alertname === name);
      expect(own.some((test) => test.exp_alerts.length > 0)).toBe(true);
      // The dead man's switch is the one alert that must never be silent.
      expect(own.some((test) => test.exp_alerts.length === 0)).toBe(name !== 'PlumblineDeadMan');
    },
  );

  it.each(EPISODE_CATEGORIES)('tell of open episodes of %s', (category) => {
    const telling = alerts.filter((rule) =>
      rule.expr.includes(`plumbline_episode_open{category="${category}"}`),
    );
    expect(telling).toHaveLength(1);
    expect(telling[0]?.expr).toContain(
      `unless on (model, model_version) plumbline_episode_silenced{category="${category}"} == 1`,
    );
  });

  it('have no runbook without an alert', () => {
    const books = readdirSync(new URL('docs/runbooks', root)).map((file) => file.replace('.md', ''));
    expect(books.toSorted()).toEqual(alerts.map((rule) => rule.alert ?? '').toSorted());
  });
});
