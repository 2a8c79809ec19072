import { BigValueColorMode } from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { dashboardOf, GREEN, panel, RED, type Target, thresholds } from './panels.js';

const ALL = 'job=~"$job"';

function stat(title: string, description: string, unit: string, expr: string, red: number | null) {
  return panel({
    builder: new StatBuilder(),
    title,
    description,
    unit,
    columns: 6,
    rows: 4,
    targets: [{ expr, legend: title }],
    with: (each) =>
      each
        .colorMode(red === null ? BigValueColorMode.None : BigValueColorMode.Background)
        .thresholds(red === null ? thresholds([GREEN, null]) : thresholds([GREEN, null], [RED, red])),
  });
}

function lines(title: string, description: string, unit: string, ...targets: readonly Target[]) {
  return panel({
    builder: new TimeseriesBuilder(),
    title,
    description,
    unit,
    columns: 12,
    rows: 8,
    targets,
    with: (each) => each.min(0),
  });
}

export function service() {
  return dashboardOf({
    uid: 'plumbline-service',
    title: 'Plumbline / Service health',
    description: 'The service itself: does it get rows, keep up, and deliver?',
    from: 'now-6h',
    perModel: false,
    rows: [
      {
        title: 'At a glance',
        panels: [
          stat('Processes up', 'Scraped processes.', 'short', `sum(up{${ALL}})`, null),
          stat(
            'Since the last detection',
            'Time since the detection job last ended without an error.',
            's',
            `time() - max(plumbline_detector_last_success_timestamp_seconds{${ALL}})`,
            900,
          ),
          stat(
            'Rejected',
            'Share of received rows that were rejected.',
            'percentunit',
            `sum(rate(plumbline_rejected_total{${ALL}}[$__rate_interval])) / sum(rate(plumbline_received_total{${ALL}}[$__rate_interval]))`,
            0.05,
          ),
          stat(
            'Webhooks given up',
            'Webhook events that failed for good in the last day.',
            'short',
            `sum(increase(plumbline_webhook_deliveries_total{${ALL},outcome="failed"}[1d]))`,
            1,
          ),
          stat(
            'Webhooks held',
            'Scopes whose webhooks are paused or whose endpoint is gone, and targets that do not answer.',
            'short',
            `sum(max by (reason) (plumbline_webhook_holds{${ALL}})) + sum(plumbline_webhook_circuits_open{${ALL}})`,
            1,
          ),
        ],
      },
      {
        title: 'Rows',
        panels: [
          lines('Rows received', 'Predictions and labels per second, by source.', 'reqps', {
            expr: `sum by (kind, source) (rate(plumbline_received_total{${ALL}}[$__rate_interval]))`,
            legend: '{{kind}} {{source}}',
          }),
          lines(
            'Rejected and duplicate rows',
            'Per second, by reason.',
            'reqps',
            {
              expr: `sum by (kind, reason) (rate(plumbline_rejected_total{${ALL}}[$__rate_interval]))`,
              legend: '{{kind}} {{reason}}',
            },
            {
              expr: `sum by (kind) (rate(plumbline_duplicates_total{${ALL}}[$__rate_interval]))`,
              legend: '{{kind}} duplicate',
            },
          ),
          lines('Ingest lag', 'Age of the newest stored event of each model version.', 's', {
            expr: `min by (model, model_version) (plumbline_ingest_lag_seconds{${ALL}})`,
            legend: '{{model}} {{model_version}}',
          }),
          lines(
            'Insert duration',
            'Median and 99th percentile of one insert into the store.',
            's',
            ...['0.5', '0.99'].map((quantile) => ({
              expr: `histogram_quantile(${quantile}, sum by (le) (rate(plumbline_insert_duration_seconds_bucket{${ALL}}[$__rate_interval])))`,
              legend: `p${Number(quantile) * 100}`,
            })),
          ),
          lines('Labels', 'Labels per second.', 'reqps', {
            expr: `sum by (model, model_version) (rate(plumbline_labels_total{${ALL}}[$__rate_interval]))`,
            legend: '{{model}} {{model_version}}',
          }),
        ],
      },
      {
        title: 'Kafka',
        panels: [
          lines('Consumer lag', 'Records that are not stored yet.', 'short', {
            expr: `sum by (topic) (plumbline_kafka_lag{${ALL}})`,
            legend: '{{topic}}',
          }),
          lines(
            'Records read, lost, and held in memory',
            'Read and lost records per second; rows that wait for their insert.',
            'short',
            {
              expr: `sum by (topic) (rate(plumbline_kafka_records_total{${ALL}}[$__rate_interval]))`,
              legend: '{{topic}} read/s',
            },
            {
              expr: `sum by (topic) (rate(plumbline_kafka_records_lost_total{${ALL}}[$__rate_interval]))`,
              legend: '{{topic}} lost/s',
            },
            { expr: `sum(plumbline_kafka_pending_rows{${ALL}})`, legend: 'rows held' },
          ),
          lines(
            'Rebalances and client restarts',
            'Per hour. Some rebalances come with every deployment; restarts are trouble.',
            'short',
            { expr: `sum(increase(plumbline_kafka_rebalances_total{${ALL}}[1h]))`, legend: 'rebalances' },
            { expr: `sum(increase(plumbline_kafka_restarts_total{${ALL}}[1h]))`, legend: 'restarts' },
          ),
        ],
      },
      {
        title: 'Jobs and delivery',
        panels: [
          lines('Job duration', '99th percentile of one run.', 's', {
            expr: `histogram_quantile(0.99, sum by (task, le) (rate(plumbline_job_duration_seconds_bucket{${ALL}}[$__rate_interval])))`,
            legend: '{{task}}',
          }),
          lines('Job failures', 'Failed runs per hour.', 'short', {
            expr: `sum by (task) (increase(plumbline_job_failures_total{${ALL}}[1h]))`,
            legend: '{{task}}',
          }),
          lines('Windows judged', 'Per hour, by outcome.', 'short', {
            expr: `sum by (status) (increase(plumbline_windows_judged_total{${ALL}}[1h]))`,
            legend: '{{status}}',
          }),
          lines('Webhook attempts', 'Per hour, by outcome.', 'short', {
            expr: `sum by (outcome) (increase(plumbline_webhook_deliveries_total{${ALL}}[1h]))`,
            legend: '{{outcome}}',
          }),
          lines('Series left out', 'Verdict series per hour that were not exported.', 'short', {
            expr: `sum by (reason) (increase(plumbline_series_dropped_total{${ALL}}[1h]))`,
            legend: '{{reason}}',
          }),
        ],
      },
    ],
  });
}
