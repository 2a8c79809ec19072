import { PanelBuilder as BarChartBuilder } from '@grafana/grafana-foundation-sdk/barchart';
import { PanelBuilder as BarGaugeBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import { BigValueColorMode, VisibilityMode } from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import * as sql from './model-sql.js';
import { dashboardOf, GREEN, MODEL, ORANGE, panel, RED, STATUS_VALUES, thresholds } from './panels.js';

function stat(title: string, description: string, unit: string, expr: string, red: number) {
  return panel({
    builder: new StatBuilder(),
    title,
    description,
    unit,
    columns: 6,
    rows: 4,
    targets: [{ expr, legend: title }],
    with: (each) =>
      each.colorMode(BigValueColorMode.Background).thresholds(thresholds([GREEN, null], [RED, red])),
  });
}

/** Statistic over the value from which it alarms; only what can alarm has a status. */
const MARGIN = `max by (feature, detector) (plumbline_drift_statistic{${MODEL}} / (plumbline_drift_threshold{${MODEL}} > 0) and plumbline_drift_status{${MODEL}})`;

const now = {
  title: 'Now (last judged window)',
  panels: [
    stat(
      'Open episodes',
      'Breaches of this version that have not closed.',
      'short',
      `sum(max by (category, severity) (plumbline_episode_open{${MODEL}}))`,
      1,
    ),
    stat(
      'Drifted columns',
      'Columns whose primary test is drifted and material.',
      'short',
      `max(plumbline_drifted_features{${MODEL}})`,
      1,
    ),
    stat(
      'Undecided verdicts',
      'Share of verdicts that could not be decided: no data, too few rows, …',
      'percentunit',
      `avg(plumbline_drift_status{${MODEL}} == bool -1)`,
      0.5,
    ),
    stat(
      'Outliers',
      'Share of rows beyond the isolation forest’s threshold; the reference has one in a hundred.',
      'percentunit',
      `max(plumbline_outlier_ratio{${MODEL}})`,
      0.05,
    ),
    panel({
      builder: new StateTimelineBuilder(),
      title: 'Columns',
      description: 'Worst verdict of each column as it was exported, by wall-clock time.',
      unit: 'short',
      columns: 16,
      rows: 12,
      targets: [
        {
          expr: `max by (feature) (plumbline_drift_status{${MODEL},feature!=""})`,
          legend: '{{feature}}',
        },
      ],
      with: (timeline) =>
        timeline.mappings(STATUS_VALUES).showValue(VisibilityMode.Never).rowHeight(0.9).mergeValues(true),
    }),
    panel({
      builder: new BarGaugeBuilder(),
      title: 'Nearest to an alarm',
      description: 'Statistic over the value from which its detector alarms: 1 is the alarm point.',
      unit: 'short',
      columns: 8,
      rows: 12,
      targets: [{ expr: `topk(12, ${MARGIN})`, legend: '{{feature}} {{detector}}' }],
      with: (bars) =>
        bars
          .min(0)
          .max(2)
          .thresholds(thresholds([GREEN, null], [ORANGE, 0.8], [RED, 1])),
    }),
    panel({
      builder: new TimeseriesBuilder(),
      title: 'Drift of the predictions',
      description: 'Statistics of the model’s own outputs, each with the value from which it alarms.',
      unit: 'short',
      columns: 12,
      rows: 8,
      targets: [
        {
          expr: `max by (feature, detector) (plumbline_drift_statistic{${MODEL},feature=~"prediction|prediction_proba"})`,
          legend: '{{feature}} {{detector}}',
        },
        {
          expr: `max by (feature, detector) (plumbline_drift_threshold{${MODEL},feature=~"prediction|prediction_proba"})`,
          legend: '{{feature}} {{detector}} alarms from',
        },
      ],
    }),
    panel({
      builder: new TimeseriesBuilder(),
      title: 'Latency',
      description: 'Inference latency that the predictions report: median, 95th and 99th percentile.',
      unit: 's',
      columns: 12,
      rows: 8,
      targets: ['0.5', '0.95', '0.99'].map((quantile) => ({
        expr: `histogram_quantile(${quantile}, sum by (le) (rate(plumbline_prediction_latency_seconds_bucket{${MODEL}}[$__rate_interval])))`,
        legend: `p${Number(quantile) * 100}`,
      })),
    }),
    panel({
      builder: new TimeseriesBuilder(),
      title: 'Performance',
      description:
        'How good the version was in the newest window with enough labels, by the wall-clock time at which that was known.',
      unit: 'short',
      columns: 12,
      rows: 8,
      targets: [
        { expr: `max by (metric, kind) (plumbline_performance{${MODEL}})`, legend: '{{metric}} {{kind}}' },
      ],
    }),
    panel({
      builder: new TimeseriesBuilder(),
      title: 'Label maturity',
      description: 'Share of the last judged window’s predictions that have their label.',
      unit: 'percentunit',
      columns: 12,
      rows: 8,
      targets: [{ expr: `max(plumbline_label_maturity_ratio{${MODEL}})`, legend: 'labelled' }],
      with: (series) => series.min(0).max(1),
    }),
  ],
};

const byEventTime = {
  title: 'By event time (ClickHouse)',
  panels: [
    panel({
      builder: new StateTimelineBuilder(),
      title: 'Drift heatmap',
      description: 'Every column in every window: drifted and material, stable, or undecided.',
      unit: 'short',
      columns: 24,
      rows: 12,
      targets: [{ sql: sql.HEATMAP, series: true }],
      with: (timeline) =>
        timeline.mappings(STATUS_VALUES).showValue(VisibilityMode.Never).rowHeight(0.9).mergeValues(true),
    }),
    panel({
      builder: new TableBuilder(),
      title: 'Verdicts of the last window',
      description: 'All verdicts of the newest window in the time range, worst first.',
      unit: 'short',
      columns: 14,
      rows: 10,
      targets: [{ sql: sql.LAST_VERDICTS, series: false }],
    }),
    panel({
      builder: new TableBuilder(),
      title: 'Episodes',
      description: 'The newest fifty episodes of this version.',
      unit: 'short',
      columns: 10,
      rows: 10,
      targets: [{ sql: sql.EPISODES, series: false }],
    }),
    panel({
      builder: new TimeseriesBuilder(),
      title: 'Predictions by class',
      description: 'Share of each predicted class; the ten most frequent ones.',
      unit: 'percentunit',
      columns: 12,
      rows: 8,
      targets: [{ sql: sql.CLASS_SHARES, series: true }],
      with: (each) => each.min(0).max(1),
    }),
    panel({
      builder: new TimeseriesBuilder(),
      title: 'Prediction quantiles',
      description: 'Deciles 1, 5 and 9 of the probability, or of the predicted number.',
      unit: 'short',
      columns: 12,
      rows: 8,
      targets: [{ sql: sql.PREDICTION_QUANTILES, series: true }],
    }),
    panel({
      builder: new BarChartBuilder(),
      title: 'Probability histogram',
      description: 'Predicted probabilities in the time range, in twenty bins.',
      unit: 'short',
      columns: 12,
      rows: 8,
      targets: [{ sql: sql.PROBABILITY_HISTOGRAM, series: false }],
      with: (bars) => bars.xField('probability'),
    }),
    panel({
      builder: new TimeseriesBuilder(),
      title: 'Accuracy on labelled rows (classifiers)',
      description:
        'Share of predictions that equal their newest label, by day of the prediction. Days without labels are absent.',
      unit: 'percentunit',
      columns: 12,
      rows: 8,
      targets: [{ sql: sql.ACCURACY, series: true }],
      with: (each) => each.min(0).max(1),
    }),
  ],
};

export function model() {
  return dashboardOf({
    uid: 'plumbline-model',
    title: 'Plumbline / Model',
    description: 'One model version: what drifted, by how much, and since when.',
    from: 'now-7d',
    perModel: true,
    rows: [now, byEventTime],
  });
}
