import { BigValueColorMode, BigValueGraphMode } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type DataTransformerConfig,
  MappingType,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { byThreshold, dashboardOf, GREEN, GREY, ORANGE, panel, RED, thresholds } from './panels.js';

const ALL = 'job=~"$job"';
const BY = 'by (model, model_version)';

function count(title: string, description: string, expr: string, alarming: string | null) {
  return panel({
    builder: new StatBuilder(),
    title,
    description,
    unit: 'short',
    columns: 6,
    rows: 4,
    targets: [{ expr, legend: title }],
    with: (stat) =>
      stat
        .graphMode(BigValueGraphMode.Area)
        .colorMode(alarming === null ? BigValueColorMode.None : BigValueColorMode.Background)
        .thresholds(alarming === null ? thresholds([GREEN, null]) : thresholds([GREEN, null], [alarming, 1])),
  });
}

/** One row per model version out of several instant queries. */
const JOINED: DataTransformerConfig[] = [
  { id: 'merge', options: {} },
  {
    id: 'organize',
    options: {
      excludeByName: { Time: true },
      indexByName: {
        model: 0,
        model_version: 1,
        'Value #A': 2,
        'Value #B': 3,
        'Value #C': 4,
        'Value #D': 5,
        'Value #E': 6,
      },
      renameByName: {
        model: 'Model',
        model_version: 'Version',
        'Value #A': 'Open episodes',
        'Value #B': 'Drifted columns',
        'Value #C': 'Worst column, alarm points',
        'Value #D': 'Undecided',
        'Value #E': 'Outliers',
      },
    },
  },
];

const toModel = new DashboardLinkBuilder('Open the model')
  .type(DashboardLinkType.Link)
  .url(
    '/d/plumbline-model?var-model=${__data.fields.Model:percentencode}&var-model_version=${__data.fields.Version:percentencode}&${__url_time_range}',
  );

export function overview() {
  return dashboardOf({
    uid: 'plumbline-overview',
    title: 'Plumbline / Overview',
    description: 'All models: which ones have drifted, which ones are silent, and how much they are used.',
    from: 'now-7d',
    perModel: false,
    rows: [
      {
        title: 'Fleet',
        panels: [
          count(
            'Model versions',
            'Model versions with at least one judged window.',
            `count(max ${BY} (plumbline_drifted_features{${ALL}}))`,
            null,
          ),
          count(
            'Open episodes',
            'Breaches that have opened and not closed yet, of any category.',
            `sum(max by (model, model_version, category, severity) (plumbline_episode_open{${ALL}}))`,
            ORANGE,
          ),
          count(
            'Critical episodes',
            'Open episodes whose median driver is at least twice the minimum effect.',
            `sum(max by (model, model_version, category) (plumbline_episode_open{${ALL},severity="critical"}))`,
            RED,
          ),
          count(
            'Silent models',
            'Model versions of which no column could be judged in the last window. Not the same as no drift.',
            `count(max ${BY} (plumbline_drift_status{${ALL}}) == -1) or vector(0)`,
            ORANGE,
          ),
          panel({
            builder: new TableBuilder(),
            title: 'Models',
            description:
              'The state of every model version after its last window. Alarm points: the worst statistic over the value from which it would alarm.',
            unit: 'short',
            columns: 24,
            rows: 9,
            targets: [
              {
                expr: `sum ${BY} (max by (model, model_version, category, severity) (plumbline_episode_open{${ALL}}))`,
                table: true,
              },
              { expr: `max ${BY} (plumbline_drifted_features{${ALL}})`, table: true },
              {
                expr: `max ${BY} (plumbline_drift_statistic{${ALL}} / (plumbline_drift_threshold{${ALL}} > 0) and plumbline_drift_status{${ALL}})`,
                table: true,
              },
              { expr: `avg ${BY} (plumbline_drift_status{${ALL}} == bool -1)`, table: true },
              { expr: `max ${BY} (plumbline_outlier_ratio{${ALL}})`, table: true },
            ],
            with: (table) =>
              table
                .transformations(JOINED)
                .overrideByName('Model', [{ id: 'links', value: [toModel.build()] }])
                .overrideByName('Undecided', [{ id: 'unit', value: 'percentunit' }])
                .overrideByName('Outliers', [{ id: 'unit', value: 'percentunit' }]),
          }),
        ],
      },
      {
        title: 'Over time',
        panels: [
          panel({
            builder: new StateTimelineBuilder(),
            title: 'Episodes',
            description: 'When an episode of a category was open.',
            unit: 'short',
            columns: 24,
            rows: 8,
            targets: [
              {
                expr: `max by (model, model_version, category) (plumbline_episode_open{${ALL}})`,
                legend: '{{model}} {{model_version}} {{category}}',
              },
            ],
            with: (timeline) =>
              timeline
                .colorScheme(byThreshold())
                .thresholds(thresholds([GREY, null], [RED, 1]))
                .mappings([
                  {
                    type: MappingType.ValueToText,
                    options: { '0': { text: 'closed', color: GREEN }, '1': { text: 'open', color: RED } },
                  },
                ]),
          }),
          panel({
            builder: new TimeseriesBuilder(),
            title: 'Drifted columns',
            description: 'Columns that were drifted and material in the last window of each model version.',
            unit: 'short',
            columns: 12,
            rows: 8,
            targets: [
              {
                expr: `max ${BY} (plumbline_drifted_features{${ALL}})`,
                legend: '{{model}} {{model_version}}',
              },
            ],
          }),
          panel({
            builder: new TimeseriesBuilder(),
            title: 'Predictions',
            description: 'Accepted prediction rows per second.',
            unit: 'reqps',
            columns: 12,
            rows: 8,
            targets: [
              {
                expr: `sum ${BY} (rate(plumbline_predictions_total{${ALL}}[$__rate_interval]))`,
                legend: '{{model}} {{model_version}}',
              },
            ],
          }),
        ],
      },
    ],
  });
}
