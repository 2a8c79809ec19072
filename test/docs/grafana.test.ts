import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { dashboardFiles } from '../../grafana/build.js';
import { type GrafanaTarget, readDashboards } from '../support/grafana-queries.js';

const folder = new URL('../../grafana/', import.meta.url);
const dashboards = readDashboards();
const panels = dashboards.flatMap((dashboard) =>
  dashboard.panels.filter((panel) => panel.type !== 'row').map((panel) => ({ dashboard, panel })),
);
const named = panels.map(
  ({ dashboard, panel }) => [`${dashboard.title}: ${panel.title}`, panel, dashboard] as const,
);
const promql = panels.flatMap(({ dashboard, panel }) =>
  (panel.targets ?? [])
    .filter((target) => target.expr !== undefined)
    .map((target) => [`${dashboard.title}: ${panel.title} ${target.refId}`, target] as const),
);

describe('grafana/dashboards', () => {
  it('are what the code in grafana/ writes: else run `npm run grafana`', () => {
    const files = dashboardFiles();
    expect(readdirSync(new URL('dashboards', folder)).toSorted()).toEqual(
      files.map((file) => file.name).toSorted(),
    );
    for (const { name, text } of files)
      expect(readFileSync(new URL(`dashboards/${name}`, folder), 'utf8')).toBe(text);
  });

  it.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))(
    '%s links to the page, the reports and its siblings, and has unique panels that do not overlap',
    (_title, dashboard) => {
      expect(dashboard.uid).toMatch(/^plumbline-/);
      expect(dashboard.tags).toContain('plumbline');
      expect(dashboard.links.map((link) => link.title)).toEqual(['Page', 'Reports', 'Plumbline']);
      expect(new Set(dashboard.panels.map((panel) => panel.id)).size).toBe(dashboard.panels.length);
      const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
      expect(dashboard.panels.every(({ gridPos }) => gridPos.x + gridPos.w <= 24)).toBe(true);
    },
  );

  it('are the ones that the alert rules link to', () => {
    const rules = readFileSync(new URL('../prometheus/rules/plumbline.yml', folder), 'utf8');
    const linked = [...rules.matchAll(/grafana\.example\/d\/([\w-]+)/g)].map((match) => match[1]);
    const uids = dashboards.map((dashboard) => dashboard.uid);
    expect(linked.length).toBeGreaterThan(0);
    for (const uid of linked) expect(uids).toContain(uid);
  });
});

// The rules of grafana/dashboard-linter that apply, by their names. Left out: template-instance and target-instance-rule,
// since replicas are one service and no panel tells them apart.
describe('dashboard linter', () => {
  it.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))(
    'template-datasource-rule, template-job-rule: %s',
    (_title, { templating }) => {
      expect(templating.list[0]).toMatchObject({
        name: 'datasource',
        type: 'datasource',
        query: 'prometheus',
      });
      expect(templating.list).toContainEqual(
        expect.objectContaining({
          name: 'job',
          type: 'query',
          multi: true,
          includeAll: true,
          allValue: '.+',
        }),
      );
    },
  );

  it.each(named)('panel-title-description-rule, panel-units-rule: %s', (_name, panel) => {
    expect(panel.title).not.toBe('');
    expect(panel.description).toMatch(/[.…]$/);
    expect(panel.fieldConfig?.defaults.unit).toMatch(/^\w+$/);
  });

  it.each(named)('panel-datasource-rule: %s', (_name, panel) => {
    const variable = panel.targets?.some((target) => target.rawSql !== undefined)
      ? 'clickhouse'
      : 'datasource';
    const uid = `$\{${variable}}`;
    expect(panel.datasource?.uid).toBe(uid);
    expect(panel.targets?.length).toBeGreaterThan(0);
    for (const target of panel.targets ?? []) expect(target.datasource?.uid).toBe(uid);
  });

  it.each(promql)('target-job-rule, target-rate-interval-rule: %s', (_name, target: GrafanaTarget) => {
    const expr = target.expr ?? '';
    const selectors = [...expr.matchAll(/(?:plumbline_\w+|\bup)(\{[^}]*\})?/g)];
    expect(selectors.length).toBeGreaterThan(0);
    for (const [, matchers] of selectors) expect(matchers).toContain('job=~"$job"');
    for (const [, range] of expr.matchAll(/\brate\([^[]*\[([^\]]*)\]/g))
      expect(range).toBe('$__rate_interval');
  });
});

describe('grafana/provisioning', () => {
  it('offers data sources of the types that the dashboards choose from', () => {
    const { datasources } = parse(
      readFileSync(new URL('provisioning/datasources/plumbline.yaml', folder), 'utf8'),
    ) as { datasources: { type: string }[] };
    const used = new Set(panels.map(({ panel }) => panel.datasource?.type));
    expect(new Set(datasources.map((source) => source.type))).toEqual(used);
  });
});
