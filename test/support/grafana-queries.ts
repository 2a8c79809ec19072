import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../grafana/dashboards/', import.meta.url);

export interface GrafanaTarget {
  readonly refId: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly expr?: string;
  readonly rawSql?: string;
  readonly legendFormat?: string;
}

export interface GrafanaPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly GrafanaTarget[];
}

export interface GrafanaDashboard {
  readonly uid: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly panels: readonly GrafanaPanel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly links: readonly { readonly title: string; readonly url?: string }[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] };
}

export function readDashboards(): GrafanaDashboard[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as GrafanaDashboard);
}

export interface PanelQuery {
  /** `Dashboard: panel A`, for test names. */
  readonly name: string;
  readonly language: 'promql' | 'sql';
  readonly text: string;
}

/** Every query of every panel, and of the annotations, as committed. */
export function panelQueries(dashboards: readonly GrafanaDashboard[] = readDashboards()): PanelQuery[] {
  return dashboards.flatMap((dashboard) => [
    ...dashboard.annotations.list.flatMap(({ name, expr }) =>
      expr === undefined
        ? []
        : [{ name: `${dashboard.title}: ${name}`, language: 'promql' as const, text: expr }],
    ),
    ...dashboard.panels.flatMap((panel) =>
      (panel.targets ?? []).map((target) => ({
        name: `${dashboard.title}: ${panel.title} ${target.refId}`,
        language: target.rawSql === undefined ? ('promql' as const) : ('sql' as const),
        text: target.rawSql ?? target.expr ?? '',
      })),
    ),
  ]);
}

export interface QueryContext {
  readonly job: string;
  readonly model: string;
  readonly modelVersion: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly intervalSeconds: number;
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Fills in what Grafana and its ClickHouse data source would: variables, and the macros that the dashboards use. */
export function expandQuery(text: string, context: QueryContext): string {
  const seconds = (ms: number) => Math.floor(ms / 1_000);
  const expanded = text
    .replace(
      /\$__timeFilter\(([\w.]+)\)/g,
      (_match, column: string) =>
        `${column} >= toDateTime(${seconds(context.fromMs)}) AND ${column} <= toDateTime(${seconds(context.toMs)})`,
    )
    .replaceAll('$__interval_s', String(context.intervalSeconds))
    .replaceAll('$__rate_interval', `${Math.max(context.intervalSeconds, 60)}s`)
    .replaceAll('${model:sqlstring}', quoted(context.model))
    .replaceAll('${model_version:sqlstring}', quoted(context.modelVersion))
    .replaceAll('"$job"', JSON.stringify(context.job))
    .replaceAll('"$model_version"', JSON.stringify(context.modelVersion))
    .replaceAll('"$model"', JSON.stringify(context.model));
  const left = /\$\{?\w+/.exec(expanded);
  if (left !== null) throw new Error(`no value for ${left[0]} in ${text}`);
  return expanded;
}
