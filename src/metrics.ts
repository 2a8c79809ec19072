import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export const METRIC_PREFIX = 'plumbline_';

/** Metrics of one app: its own registry, never the global one. Names and meanings: docs/metrics.md. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const model = ['model', 'model_version'] as const;
  return {
    registry,
    driftStatistic: new Gauge({
      name: 'plumbline_drift_statistic',
      help: 'Statistic of the last judged window.',
      labelNames: [...model, 'feature', 'detector'],
      registers,
    }),
    driftThreshold: new Gauge({
      name: 'plumbline_drift_threshold',
      help: 'Statistic from which this detector alarms: significant and material.',
      labelNames: [...model, 'feature', 'detector'],
      registers,
    }),
    driftStatus: new Gauge({
      name: 'plumbline_drift_status',
      help: 'Verdict of the last judged window: 0 stable, 1 drifted and material, -1 undecided.',
      labelNames: [...model, 'feature', 'detector'],
      registers,
    }),
    driftedFeatures: new Gauge({
      name: 'plumbline_drifted_features',
      help: 'Columns with a material drift in the last judged window.',
      labelNames: [...model],
      registers,
    }),
    undeclaredFeatures: new Gauge({
      name: 'plumbline_undeclared_features',
      help: 'Features of the last judged window that the version does not declare.',
      labelNames: [...model],
      registers,
    }),
    undeclaredDropped: new Counter({
      name: 'plumbline_undeclared_dropped_total',
      help: 'Rows stored without features that their version does not declare, as the privacy policy says.',
      labelNames: [...model],
      registers,
    }),
    driftedSegments: new Gauge({
      name: 'plumbline_drifted_segments',
      help: 'Segments with a material drift in the last judged window.',
      labelNames: [...model],
      registers,
    }),
    episodeOpen: new Gauge({
      name: 'plumbline_episode_open',
      help: 'Open episodes; route says who is to be told.',
      labelNames: [...model, 'category', 'severity', 'route'],
      registers,
    }),
    episodeSilenced: new Gauge({
      name: 'plumbline_episode_silenced',
      help: 'Whether an open episode is not to be alarmed about for now, being snoozed or in a maintenance window.',
      labelNames: [...model, 'category', 'reason'],
      registers,
    }),
    episodeAcknowledged: new Gauge({
      name: 'plumbline_episode_acknowledged',
      help: 'Whether somebody looks after an open episode.',
      labelNames: [...model, 'category'],
      registers,
    }),
    episodePerformanceMoved: new Gauge({
      name: 'plumbline_episode_performance_moved',
      help: 'Whether performance moved with an open drift: 1 it did, 0 it did not, -1 nobody can tell yet.',
      labelNames: [...model, 'category'],
      registers,
    }),
    episodeWhy: new Gauge({
      name: 'plumbline_episode_why_info',
      help: 'What happened when an open episode opened, as a sentence in the label why; always 1.',
      labelNames: [...model, 'category', 'why'],
      registers,
    }),
    outlierRatio: new Gauge({
      name: 'plumbline_outlier_ratio',
      help: 'Share of rows of the last judged window beyond the reference outlier threshold.',
      labelNames: [...model],
      registers,
    }),
    performance: new Gauge({
      name: 'plumbline_performance',
      help: 'How good the version was in the newest window with enough labels.',
      labelNames: [...model, 'metric', 'kind'],
      registers,
    }),
    labelMaturity: new Gauge({
      name: 'plumbline_label_maturity_ratio',
      help: 'Share of predictions of the last judged window that have their label.',
      labelNames: [...model],
      registers,
    }),
    windowsJudged: new Counter({
      name: 'plumbline_windows_judged_total',
      help: 'Windows judged, by outcome.',
      labelNames: [...model, 'status'],
      registers,
    }),
    streamDetections: new Counter({
      name: 'plumbline_stream_detections_total',
      help: 'Changes that a detector over the stream of errors has seen.',
      labelNames: [...model, 'detector'],
      registers,
    }),
    seriesDropped: new Counter({
      name: 'plumbline_series_dropped_total',
      help: 'Verdict series not exported, because of the series budget or an unusable label.',
      labelNames: ['reason'],
      registers,
    }),
    lastSuccess: new Gauge({
      name: 'plumbline_detector_last_success_timestamp_seconds',
      help: 'When the detection job last finished without an error.',
      registers,
    }),
    detectorLeader: new Gauge({
      name: 'plumbline_detector_leader',
      help: 'Whether this process runs the detection job, of several that could.',
      registers,
    }),
    jobDuration: new Histogram({
      name: 'plumbline_job_duration_seconds',
      help: 'Duration of one run of a job.',
      labelNames: ['task'],
      buckets: [0.05, 0.1, 0.5, 1, 5, 15, 60, 300],
      registers,
    }),
    jobFailures: new Counter({
      name: 'plumbline_job_failures_total',
      help: 'Runs of a job that ended in an error.',
      labelNames: ['task'],
      registers,
    }),
    received: new Counter({
      name: 'plumbline_received_total',
      help: 'Rows received; equals accepted + duplicates + rejected + erased.',
      labelNames: ['kind', 'source'],
      registers,
    }),
    predictions: new Counter({
      name: 'plumbline_predictions_total',
      help: 'Prediction rows accepted.',
      labelNames: [...model],
      registers,
    }),
    labels: new Counter({
      name: 'plumbline_labels_total',
      help: 'Label rows accepted.',
      labelNames: [...model],
      registers,
    }),
    duplicates: new Counter({
      name: 'plumbline_duplicates_total',
      help: 'Rows received again and not stored twice.',
      labelNames: ['kind'],
      registers,
    }),
    erased: new Counter({
      name: 'plumbline_erased_total',
      help: 'Rows received again after they were erased, and not stored.',
      labelNames: ['kind'],
      registers,
    }),
    rejected: new Counter({
      name: 'plumbline_rejected_total',
      help: 'Rows kept in `rejected`, by reason.',
      labelNames: ['kind', 'reason'],
      registers,
    }),
    ingestLag: new Gauge({
      name: 'plumbline_ingest_lag_seconds',
      help: 'Age of the newest stored event.',
      labelNames: [...model],
      registers,
    }),
    predictionLatency: new Histogram({
      name: 'plumbline_prediction_latency_seconds',
      help: 'Inference latency reported with predictions.',
      labelNames: [...model],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    insertDuration: new Histogram({
      name: 'plumbline_insert_duration_seconds',
      help: 'Duration of one insert into the store.',
      buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
      registers,
    }),
    reports: new Counter({
      name: 'plumbline_reports_total',
      help: 'Reports made, and attempts that failed.',
      labelNames: ['outcome'],
      registers,
    }),
    reportLastSuccess: new Gauge({
      name: 'plumbline_report_last_success_timestamp_seconds',
      help: 'When the newest report of a schedule was made.',
      labelNames: ['model', 'schedule'],
      registers,
    }),
    mailDeliveries: new Counter({
      name: 'plumbline_mail_deliveries_total',
      help: 'Attempts to send a mail, by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    webhookHolds: new Gauge({
      name: 'plumbline_webhook_holds',
      help: 'Scopes whose webhooks are held back, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    webhookCircuitsOpen: new Gauge({
      name: 'plumbline_webhook_circuits_open',
      help: 'Webhook targets that failed five times in a row and have not answered since.',
      registers,
    }),
    alertmanagerPushes: new Counter({
      name: 'plumbline_alertmanager_pushes_total',
      help: 'Requests that told an Alertmanager of open episodes, by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    webhookDeliveries: new Counter({
      name: 'plumbline_webhook_deliveries_total',
      help: 'Webhook attempts, by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    kafkaLag: new Gauge({
      name: 'plumbline_kafka_lag',
      help: 'Records of a partition that are not stored yet.',
      labelNames: ['topic', 'partition'],
      registers,
    }),
    kafkaRecords: new Counter({
      name: 'plumbline_kafka_records_total',
      help: 'Records read from Kafka and stored, rejected or known already.',
      labelNames: ['topic'],
      registers,
    }),
    kafkaRecordsLost: new Counter({
      name: 'plumbline_kafka_records_lost_total',
      help: 'Records that Kafka dropped (retention) before they were read.',
      labelNames: ['topic'],
      registers,
    }),
    kafkaPending: new Gauge({
      name: 'plumbline_kafka_pending_rows',
      help: 'Rows read from Kafka and held in memory until they are stored.',
      registers,
    }),
    kafkaRebalances: new Counter({
      name: 'plumbline_kafka_rebalances_total',
      help: 'Rebalances of the consumer group that this process took part in.',
      registers,
    }),
    kafkaRestarts: new Counter({
      name: 'plumbline_kafka_restarts_total',
      help: 'Times the Kafka client was replaced after a crash, a stall or a failed connection.',
      registers,
    }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
