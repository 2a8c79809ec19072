import type { Kafka, KafkaMessage } from 'kafkajs';
import { changeMessages, type InnerMessage } from './kafkajs-inner.js';
import type { LogPartition } from './log-source.js';
import { intactBytes } from './older-messages.js';
import {
  type AbortedTransaction,
  decodeRecordBatches,
  int64At,
  type RecordBatchMessage,
} from './record-batches.js';

/** What kafkajs' own decoder answers for a fetch, with batches instead of records. */
interface FetchResponse {
  readonly throttleTime: 0;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly FetchedPartition[];
  }[];
}

interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly lastStartOffset: string;
  /** None: their records are left out already. */
  readonly abortedTransactions: readonly [];
  readonly preferredReadReplica: number;
  /** Single records where they are of a format before Kafka 0.11. */
  readonly messages: readonly (RecordBatchMessage | KafkaMessage)[];
}

const FETCH_API = 1;
/** What kafkajs speaks with Kafka 2.3 and later. */
const FETCH_VERSION = 11;

/** The log has no record at the offset that was asked for. */
const OFFSET_OUT_OF_RANGE = 1;

/**
 * Lets the client's consumers hand over whole record batches (`RecordBatchMessage`) where their format allows it. `gone` is told when the
 * log does not reach back to where a partition is read any more: kafkajs would commit a position of its own over ours, and what was lost would
 * not be known. `unreadable` is told of a partition whose next batch cannot be read: it is given nothing, and the others go on.
 */
export function fetchRecordBatches(
  kafka: Kafka,
  gone: (error: Error) => void,
  unreadable: (partition: LogPartition, error: unknown) => void,
): void {
  changeMessages(kafka, <T>(message: InnerMessage<T>): InnerMessage<T> => {
    const { request, response } = message;
    if (request.apiKey !== FETCH_API || request.apiVersion !== FETCH_VERSION) return message;
    const decode = async (payload: Buffer): Promise<T> => {
      const decoded = await decodeFetch(
        payload,
        (one) => response.decode(one) as Promise<unknown> as Promise<FetchResponse>,
        unreadable,
      );
      const error = outOfRange(decoded);
      if (error === null) return decoded as T;
      gone(error);
      throw error;
    };
    return { ...message, response: { ...response, decode } };
  });
}

function outOfRange({ responses }: FetchResponse): Error | null {
  for (const { topicName, partitions } of responses)
    for (const { partition, errorCode } of partitions)
      if (errorCode === OFFSET_OUT_OF_RANGE)
        return new Error(`${topicName}/${partition} has no record any more where it was to be read on`);
  return null;
}

/**
 * A fetch response v11. Throws a RangeError when it is damaged itself; `unreadable` is told of partitions whose first batch is, or is packed
 * in a way that is not known. `decodeOlder` reads a response with one partition of a format before Kafka 0.11.
 */
export async function decodeFetch(
  payload: Buffer,
  decodeOlder: (payload: Buffer) => Promise<FetchResponse>,
  unreadable: (partition: LogPartition, error: unknown) => void,
): Promise<FetchResponse> {
  let at = 0;
  const skip = (length: number) => {
    at += length;
    return at - length;
  };
  const int16 = () => payload.readInt16BE(skip(2));
  const int32 = () => payload.readInt32BE(skip(4));
  const int64 = () => int64At(payload, skip(8));
  /** A length below zero stands for nothing. */
  const bytes = (length: number) => payload.subarray(skip(Math.max(0, length)), at);

  const head = {
    throttleTime: 0 as const,
    clientSideThrottleTime: int32(),
    errorCode: int16(),
    sessionId: int32(),
  };
  const responses = [];
  for (let topics = int32(); topics > 0; topics -= 1) {
    const topicName = bytes(int16()).toString('utf8');
    const partitions: FetchedPartition[] = [];
    for (let left = int32(); left > 0; left -= 1) {
      const start = at;
      const fields = {
        partition: int32(),
        errorCode: int16(),
        highWatermark: String(int64()),
        lastStableOffset: String(int64()),
        lastStartOffset: String(int64()),
      };
      const aborted: AbortedTransaction[] = [];
      for (let more = int32(); more > 0; more -= 1) {
        const producerId = payload.readBigInt64BE(skip(8));
        aborted.push({ producerId, firstOffset: int64() });
      }
      const preferredReadReplica = int32();
      const length = int32();
      const about = payload.subarray(start, at - 4);
      const set = bytes(length);
      if (set.length < length) throw new RangeError('a fetch is damaged: it ends within its record batches');
      let messages: FetchedPartition['messages'] = [];
      try {
        messages =
          (await decodeRecordBatches(set, aborted)) ??
          messagesOf(await decodeOlder(fetchOfOne(about, set.subarray(0, intactBytes(set)))));
      } catch (error) {
        unreadable({ topic: topicName, partition: fields.partition }, error);
      }
      partitions.push({ ...fields, abortedTransactions: [], preferredReadReplica, messages });
    }
    responses.push({ topicName, partitions });
  }
  return { ...head, responses };
}

const messagesOf = ({ responses }: FetchResponse) => responses[0]?.partitions[0]?.messages ?? [];

/** A response with one partition, of a topic without a name. `about`: what stands before the length of its messages. */
function fetchOfOne(about: Buffer, set: Buffer): Buffer {
  const before = Buffer.alloc(4 + 2 + 4 + 4 + 2 + 4);
  before.writeInt32BE(1, 10); // topics
  before.writeInt32BE(1, 16); // partitions
  const length = Buffer.alloc(4);
  length.writeInt32BE(set.length);
  return Buffer.concat([before, about, length, set]);
}
