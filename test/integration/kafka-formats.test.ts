import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';
import { createStoreClient } from '../../src/store/client.js';
import { FORMAT_MODELS, registerFormatModels } from '../support/format-models.js';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { until } from '../support/kafka-collect.js';

const KSERVE = (side: string, id: string) => ({
  ce_specversion: '1.0',
  ce_id: id,
  ce_source: 'http://localhost:9081/',
  ce_type: `org.kubeflow.serving.inference.${side}`,
  ce_time: '2026-01-01T00:00:00Z',
  ce_inferenceservicename: 'sklearn-iris',
  'content-type': 'application/json',
});
const SELDON = (kind: string, id: string) => ({
  type: `io.seldon.serving.${kind}`,
  requestid: id,
  modelid: 'classifier',
  inferenceservicename: 'churn',
  namespace: 'ml',
  endpoint: 'default',
  protocol: 'seldon',
  'content-type': 'application/json',
});

describe('formats over a real broker', () => {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-kafka-formats-'));
  let broker: KafkaBroker;
  let app: App | null = null;
  beforeAll(async () => {
    broker = await startKafkaBroker();
  });
  afterAll(async () => {
    await app?.stop();
    await broker.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('come as CloudEvents and from Seldon, joined over partitions', async () => {
    await broker.createTopic('calls', 2);
    app = await createApp(
      parseConfig({
        store: { dataDir: directory },
        http: { port: 0 },
        log: { level: 'silent' },
        kafka: { brokers: [broker.address], predictions: ['calls'] },
        models: { ...FORMAT_MODELS, churn: { mapping: { version: '3' } } },
      }),
    );
    const { url } = await app.start();
    await registerFormatModels(url);
    const structured = {
      specversion: '1.0',
      id: 'structured',
      source: '/shop',
      type: 'com.example.prediction',
      time: '2026-01-01T00:00:00Z',
      data: { model: 'churn', model_version: '3', features: { age: 31 }, prediction: 1 },
    };
    await broker.withProducer(async (producer) => {
      const send = (partition: number, headers: Record<string, string>, value: unknown) =>
        producer.send({ topic: 'calls', messages: [{ partition, headers, value: JSON.stringify(value) }] });
      await send(0, KSERVE('request', 'k1'), {
        instances: [
          [1, 2, 3, 4],
          [5, 6, 7, 8],
        ],
      });
      await send(1, KSERVE('response', 'k1'), { predictions: [0, 2] });
      await send(0, SELDON('inference.request', 's1'), { data: { names: ['age'], ndarray: [[31]] } });
      await send(1, SELDON('inference.response', 's1'), {
        data: { names: ['t:0', 't:1'], ndarray: [[0.25, 0.75]] },
      });
      await send(0, SELDON('feedback', 's1'), { reward: 1, truth: { data: { ndarray: [[0]] } } });
      await send(1, { 'content-type': 'application/cloudevents+json' }, structured);
    });
    await until('all stored', async () => {
      const { predictions, labels, rejected } = (await app?.store.totals()) ?? {
        predictions: 0,
        labels: 0,
        rejected: 0,
      };
      return predictions === 4 && labels === 1 && rejected === 0;
    });
    const engine = await createStoreClient({ kind: 'embedded', dataDir: directory });
    try {
      expect(
        await engine.query(
          `SELECT model, prediction_id AS id, row_index AS row, prediction_num AS prediction, proba
           FROM predictions ORDER BY model, id, row`,
        ),
      ).toEqual([
        { model: 'churn', id: 's1', row: 0, prediction: 1, proba: 0.75 },
        { model: 'churn', id: 'structured', row: 0, prediction: 1, proba: null },
        { model: 'iris', id: 'k1', row: 0, prediction: 0, proba: null },
        { model: 'iris', id: 'k1', row: 1, prediction: 2, proba: null },
      ]);
      expect(await engine.query('SELECT prediction_id AS id, label_num AS label FROM labels')).toEqual([
        { id: 's1', label: 0 },
      ]);
    } finally {
      await engine.close();
    }
  });
});
