import type { Admin, Kafka } from 'kafkajs';
import { fetchTopicIds } from './kafka-topic-ids.js';
import type { LogHandler, LogPartition, LogPosition } from './log-source.js';

/** Where the assigned partitions stand: what the group has committed, and what their logs hold. Rejects when a broker does not say. */
export async function readPositions(
  kafka: Kafka,
  admin: Admin,
  group: string,
  topics: readonly string[],
  assigned: readonly LogPartition[],
): Promise<LogPosition[]> {
  if (assigned.length === 0) return [];
  const own = topics.filter((topic) => assigned.some((partition) => partition.topic === topic));
  const [{ clusterId }, ids, committed, logs] = await Promise.all([
    admin.describeCluster(),
    fetchTopicIds(kafka, own),
    admin.fetchOffsets({ groupId: group, topics: own }),
    Promise.all(own.map(async (topic) => ({ topic, ends: await admin.fetchTopicOffsets(topic) }))),
  ]);
  return assigned.map(({ topic, partition }) => {
    const commit = committed
      .find((found) => found.topic === topic)
      ?.partitions.find((found) => found.partition === partition);
    const log = logs
      .find((found) => found.topic === topic)
      ?.ends.find((found) => found.partition === partition);
    if (log === undefined) throw new Error(`the brokers do not say where ${topic}/${partition} ends`);
    const offset = Number(commit?.offset ?? -1);
    return {
      topic,
      partition,
      clusterId,
      topicId: ids.get(topic) ?? topic,
      committed: offset < 0 ? null : { offset, metadata: commit?.metadata ?? '' },
      logStart: Number(log.low),
      logEnd: Number(log.high),
    };
  });
}

/** Tells the handler where the logs end now. */
export async function reportEnds(
  admin: Admin,
  topics: readonly string[],
  handler: LogHandler,
): Promise<void> {
  const ends = await Promise.all(
    topics.map(async (topic) =>
      (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => ({
        topic,
        partition,
        logEnd: Number(high),
      })),
    ),
  );
  handler.ends(ends.flat());
}
