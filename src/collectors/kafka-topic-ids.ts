import type { Kafka } from 'kafkajs';
import { createInnerCluster } from './kafkajs-inner.js';

const METADATA_API = 3;
/** The first version with topic ids (KIP-516, Kafka 2.8); kafkajs itself stops at version 6. */
const METADATA_VERSION = 10;
const ZERO_ID = Buffer.alloc(16);

/** Unsigned varint of the protocol's compact types. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** Metadata request v10 for these topics, with the empty tag section that closes the request's flexible header. */
export function encodeMetadataRequest(topics: readonly string[]): Buffer {
  const noTags = Buffer.from([0]);
  const parts = [noTags, varint(topics.length + 1)];
  for (const topic of topics) {
    const name = Buffer.from(topic);
    parts.push(ZERO_ID, varint(name.length + 1), name, noTags);
  }
  // allow_auto_topic_creation, include_cluster_authorized_operations, include_topic_authorized_operations, tags
  parts.push(Buffer.from([0, 0, 0, 0]));
  return Buffer.concat(parts);
}

/** Topic → id (base64url) from a metadata response v10; a topic that does not exist is left out. */
export function decodeMetadataResponse(payload: Buffer): Map<string, string> {
  let at = 0;
  const unsigned = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = payload.readUInt8(at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const compactString = (): string => {
    const length = unsigned() - 1;
    if (length < 0) return '';
    at += length;
    return payload.toString('utf8', at - length, at);
  };
  const tags = (): void => {
    for (let left = unsigned(); left > 0; left -= 1) {
      unsigned();
      const size = unsigned();
      at += size;
    }
  };
  const array = (item: () => void): void => {
    for (let left = unsigned() - 1; left > 0; left -= 1) item();
  };
  const int32s = (): void =>
    array(() => {
      at += 4;
    });

  tags(); // response header
  at += 4; // throttle_time_ms
  array(() => {
    at += 4; // node_id
    compactString(); // host
    at += 4; // port
    compactString(); // rack
    tags();
  });
  compactString(); // cluster_id
  at += 4; // controller_id
  const ids = new Map<string, string>();
  array(() => {
    const errorCode = payload.readInt16BE(at);
    at += 2;
    const name = compactString();
    const id = payload.subarray(at, at + 16);
    at += 16 + 1; // topic_id, is_internal
    array(() => {
      at += 2 + 4 + 4 + 4; // error_code, partition, leader, leader_epoch
      int32s(); // replicas
      int32s(); // in sync
      int32s(); // offline
      tags();
    });
    at += 4; // authorized operations
    tags();
    if (errorCode === 0 && !id.equals(ZERO_ID)) ids.set(name, id.toString('base64url'));
  });
  return ids;
}

/**
 * Topic → id. kafkajs cannot ask for ids, so this sends one request of its own over a kafkajs connection (with its
 * authentication). Brokers before 2.8 have no ids: the map is empty then.
 */
export async function fetchTopicIds(kafka: Kafka, topics: readonly string[]): Promise<Map<string, string>> {
  const cluster = createInnerCluster(kafka);
  await cluster.connect();
  try {
    // Fills the pool of brokers.
    await cluster.metadata({ topics });
    return await cluster.brokerPool.withBroker(async ({ broker }) => {
      if ((broker.versions[METADATA_API]?.maxVersion ?? 0) < METADATA_VERSION) return new Map();
      const buffer = encodeMetadataRequest(topics);
      return broker.connectionPool.send<Map<string, string>>({
        request: {
          apiKey: METADATA_API,
          apiVersion: METADATA_VERSION,
          apiName: 'Metadata',
          encode: async () => ({ buf: buffer, buffer }),
        },
        response: { decode: async (payload) => decodeMetadataResponse(payload), parse: async (ids) => ids },
      });
    });
  } finally {
    await cluster.disconnect();
  }
}
