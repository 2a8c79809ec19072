import { randomUUID } from 'node:crypto';
import type { Router } from 'express';
import { createEventReader } from '../collectors/event-reader.js';
import type { MessageReader } from '../collectors/formats/read-message.js';
import { guardedReader } from '../collectors/guarded-reader.js';
import { createKafkaCollector, type KafkaCollector } from '../collectors/kafka-collector.js';
import { createKafkaSource } from '../collectors/kafka-source.js';
import { createRecordDecoders, placeId } from '../collectors/record-decoders.js';
import { createRowWriter, type RowWriter } from '../collectors/row-writer.js';
import { createSharedInserts } from '../collectors/shared-inserts.js';
import { kafkaConnection } from '../config.js';
import { type BorrowedPrediction, treatBorrowed } from '../domain/row-list.js';
import type { Access } from '../http/access.js';
import { createIngestRoutes } from '../http/ingest-routes.js';
import { HTTP_SOURCE } from '../http/intake.js';
import type { ReadinessCheck } from '../http/readiness.js';
import { createRejectedRoutes } from '../http/rejected-routes.js';
import { createRedriver } from '../jobs/redrive.js';
import { earliestMs, mappings, type Parts, wireMessageReader } from './parts.js';

/** The collector role: rows in by HTTP and, if configured, from Kafka. */
export function wireCollection(parts: Parts, access: Access) {
  const { config, store, metrics, logger, clock, wallClock, privacy } = parts;
  const writer = createRowWriter({
    store,
    metrics,
    logger,
    privacy: privacy ?? undefined,
    erased: parts.erasures.current,
    // Partitions are read at different speeds, labels perhaps far ahead of their predictions: with Kafka a clock that
    // follows the data follows the stored predictions only (see the detection role).
    clock: config.kafka === undefined ? clock : { now: clock.now, observe: () => undefined },
  });
  const sharedInserts = createSharedInserts({
    writer,
    join: store.joinPredictions,
    tokenPrefix: `http/${randomUUID()}`,
  });
  const { plainFeatureKinds } = mappings(parts);
  const shared = { earliestMs: earliestMs(config), wallClock: wallClock.now };
  const read = wireMessageReader(parts);
  const reader = guardedReader(
    createEventReader({ ...shared, featureKinds: plainFeatureKinds, idOf: () => null }),
    logger,
  );
  const quickPredictions = {
    ...reader,
    read: (body: Buffer, start: number) => reader.read(body, start, HTTP_SOURCE),
    ...(privacy === null
      ? {}
      : { treat: (row: BorrowedPrediction) => treatBorrowed(row, privacy.treatPrediction) }),
  };
  const redrive = createRedriver({
    store,
    read: (row, value, modelVersion) =>
      read({
        value,
        text: row.payload,
        kind: row.kind,
        source: row.source,
        index: row.rowIndex,
        defaultId: row.source.kind === 'kafka' && row.kind === 'prediction' ? placeId(row.source) : null,
        model: row.model === '' ? undefined : row.model,
        modelVersion,
      }),
    write: writer.write,
  });
  const kafka = wireKafka(parts, writer, read);

  return {
    writer,
    ingest: createIngestRoutes(
      {
        read,
        quickPredictions,
        newPredictions: store.newPredictions,
        submit: sharedInserts.submit,
        expect: sharedInserts.expect,
      },
      access,
    ) as Router,
    rejected: createRejectedRoutes({ store, redrive, nowMs: wallClock.now }, access),
    start: () => kafka?.start(),
    /** Call after the HTTP server has stopped: resolves when everything taken is stored or given back. */
    async stop(): Promise<void> {
      await Promise.all([kafka?.stop(), sharedInserts.stop()]);
    },
    checks(): ReadinessCheck[] {
      if (kafka === null) return [];
      const { ready, detail } = kafka.health();
      return [{ name: 'kafka', ok: ready, detail }];
    },
  };
}

function wireKafka(parts: Parts, writer: RowWriter, read: MessageReader): KafkaCollector | null {
  const { config, store, metrics, logger, wallClock } = parts;
  const section = config.kafka;
  if (section === undefined) return null;
  return createKafkaCollector({
    source: createKafkaSource({
      connection: kafkaConnection(section),
      group: section.group,
      topics: [...section.predictions, ...section.labels],
      logger,
      metrics,
    }),
    predictionTopics: section.predictions,
    labelTopics: section.labels,
    decoders: createRecordDecoders({
      read,
      featureKinds: mappings(parts).plainFeatureKinds,
      earliestMs: earliestMs(config),
      wallClock: wallClock.now,
      logger,
      treat: parts.privacy?.treatPrediction,
    }),
    write: (batch) => writer.write(batch),
    newPredictions: store.newPredictions,
    audit: store,
    metrics,
    logger,
  });
}
