import type { KafkaMessage } from 'kafkajs';
import { damaged } from './fetched-records.js';
import type { LogRecord, LogRecords } from './log-source.js';
import type { RecordBatchMessage } from './record-batches.js';

/**
 * The records of what kafkajs hands over of one fetch, from this offset on: a record batch may begin before the offset that was asked for.
 * Throws a RangeError when the first one ends before it, which no broker sends: where a batch begins no checksum covers.
 */
export function handedRecords(
  messages: readonly (KafkaMessage | RecordBatchMessage)[],
  from: number,
): LogRecords {
  const records: LogRecord[] = [];
  for (const message of messages) {
    if ('records' in message) {
      if (Number(message.offset) < from) damaged(`it ends at offset ${message.offset}, before ${from}`);
      message.records.skipTo(from);
      return message.records;
    }
    // Of a message format before Kafka 0.11.
    const { offset, value, headers, timestamp } = message;
    records.push({ offset: Number(offset), value, headers, timestampMs: Number(timestamp) });
  }
  return records;
}
