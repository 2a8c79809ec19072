import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder,
  ConstantVariableBuilder,
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';

export const PROMETHEUS = { type: 'prometheus', uid: '${datasource}' };
export const CLICKHOUSE = { type: 'grafana-clickhouse-datasource', uid: '${clickhouse}' };
export const DEFAULT_PAGE_URL = 'http://127.0.0.1:8080';

/** Matchers that every query on a model carries. */
export const MODEL = 'job=~"$job",model="$model",model_version="$model_version"';
export const MODEL_ROWS = 'model = ${model:sqlstring} AND version = ${model_version:sqlstring}';

export const GREEN = 'green';
export const ORANGE = 'orange';
export const RED = 'red';
export const GREY = '#808080';

type AnyPanelBuilder = Builder<Panel> & {
  id(id: number): unknown;
  title(title: string): unknown;
  description(text: string): unknown;
  unit(unit: string): unknown;
  span(columns: number): unknown;
  height(rows: number): unknown;
  datasource(ref: { type: string; uid: string }): unknown;
  withTarget(target: Builder<Dataquery>): unknown;
};

export type Target =
  | { readonly expr: string; readonly legend?: string; readonly table?: boolean }
  /** One statement in the macros of the ClickHouse data source. A series has the columns time, then a label, then a value. */
  | { readonly sql: string; readonly series: boolean };

/** A query of the ClickHouse data source, for which the SDK has no type. */
class ClickHouseQuery implements Builder<Dataquery> {
  constructor(
    private readonly refId: string,
    private readonly sql: string,
    private readonly series: boolean,
  ) {}

  build() {
    const query = {
      refId: this.refId,
      datasource: CLICKHOUSE,
      editorType: 'sql',
      queryType: this.series ? 'timeseries' : 'table',
      format: this.series ? 0 : 1,
      rawSql: this.sql,
    };
    return query as typeof query & Dataquery;
  }
}

function targetOf(target: Target, index: number): Builder<Dataquery> {
  const refId = String.fromCharCode(65 + index);
  if ('sql' in target) return new ClickHouseQuery(refId, target.sql, target.series);
  const query = new DataqueryBuilder()
    .refId(refId)
    .datasource(PROMETHEUS)
    .expr(target.expr)
    .legendFormat(target.legend ?? '__auto');
  return target.table === true ? query.format(PromQueryFormat.Table).instant() : query.range();
}

/** What all panels have, in one place: a panel without a description or a unit does not type-check. */
export interface PanelSpec<B extends AnyPanelBuilder> {
  readonly builder: B;
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  /** Of 24 columns. */
  readonly columns: number;
  readonly rows: number;
  readonly targets: readonly Target[];
  readonly with?: (builder: B) => unknown;
}

export function panel<B extends AnyPanelBuilder>(spec: PanelSpec<B>): AnyPanelBuilder {
  const { builder, targets } = spec;
  const first = targets[0];
  builder.title(spec.title);
  builder.description(spec.description);
  builder.unit(spec.unit);
  builder.span(spec.columns);
  builder.height(spec.rows);
  builder.datasource(first !== undefined && 'sql' in first ? CLICKHOUSE : PROMETHEUS);
  for (const [i, target] of targets.entries()) builder.withTarget(targetOf(target, i));
  spec.with?.(builder);
  return builder;
}

/** Colours from the value on: `[GREEN, null], [RED, 1]` is green, and red from 1. */
export function thresholds(...steps: readonly (readonly [string, number | null])[]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map(([color, value]) => ({ color, value })));
}

export function byThreshold(): FieldColorBuilder {
  return new FieldColorBuilder().mode(FieldColorModeId.Thresholds);
}

/** Names and colours of the values of `plumbline_drift_status`. */
export const STATUS_VALUES: ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: {
      '-1': { text: 'undecided', color: GREY, index: 0 },
      '0': { text: 'stable', color: GREEN, index: 1 },
      '1': { text: 'drifted', color: RED, index: 2 },
    },
  },
];

export interface DashboardSpec {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly from: string;
  /** Choosers for one model version, and the ClickHouse data source. */
  readonly perModel: boolean;
  readonly rows: readonly { readonly title: string; readonly panels: readonly AnyPanelBuilder[] }[];
}

function modelVariable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(PROMETHEUS)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

function link(title: string, url: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .url(url)
    .icon('external link')
    .targetBlank(true);
}

/** Alerts of the rules in `prometheus/`, as marks over all panels. */
function alertMarks(perModel: boolean): AnnotationQueryBuilder {
  const own = perModel ? ',model="$model",model_version="$model_version"' : '';
  return new AnnotationQueryBuilder()
    .name('Alerts')
    .datasource(PROMETHEUS)
    .enable(true)
    .iconColor(RED)
    .expr(`ALERTS{alertname=~"Plumbline.*",alertname!="PlumblineDeadMan",alertstate="firing"${own}}`)
    .titleFormat('{{alertname}}')
    .textFormat('{{model}} {{model_version}} {{severity}}');
}

export function dashboardOf(spec: DashboardSpec) {
  const builder = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags(['plumbline'])
    .timezone('utc')
    .time({ from: spec.from, to: 'now' })
    .refresh('30s')
    .editable()
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('job')
        .label('Job')
        .datasource(PROMETHEUS)
        .query('label_values(plumbline_job_failures_total, job)')
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.+'),
    )
    .withVariable(new ConstantVariableBuilder('page').value(DEFAULT_PAGE_URL))
    .annotation(alertMarks(spec.perModel));
  if (spec.perModel)
    builder
      .withVariable(
        new DatasourceVariableBuilder('clickhouse').label('ClickHouse').type('grafana-clickhouse-datasource'),
      )
      .withVariable(
        modelVariable('model', 'Model', 'label_values(plumbline_drifted_features{job=~"$job"}, model)'),
      )
      .withVariable(
        modelVariable(
          'model_version',
          'Version',
          'label_values(plumbline_drifted_features{job=~"$job",model="$model"}, model_version)',
        ),
      )
      .link(link('Page', '${page}/models/${model:percentencode}/versions/${model_version:percentencode}'));
  else builder.link(link('Page', '${page}/'));
  builder
    .link(link('Reports', '${page}/reports'))
    .link(
      new DashboardLinkBuilder('Plumbline')
        .type(DashboardLinkType.Dashboards)
        .tags(['plumbline'])
        .keepTime(true)
        .includeVars(true),
    );
  let id = 0;
  for (const row of spec.rows) {
    id += 1;
    builder.withRow(new RowBuilder(row.title).id(id));
    for (const each of row.panels) {
      id += 1;
      each.id(id);
      builder.withPanel(each);
    }
  }
  return builder.build();
}
