import kafkajs, { type Kafka } from 'kafkajs';
import type { Logger } from '../domain/ports.js';
import { changeMessages, createInnerCluster, type InnerMessage } from './kafkajs-inner.js';

export interface KafkaMembership {
  /** The member has its partitions: from here on kafkajs can leave by itself. */
  readonly joined: () => void;
  /** Leaves the group when the client joins it at this moment, and lets it join no more. Called again it waits for what is under way. */
  readonly leave: () => Promise<void>;
}

const JOIN_GROUP_API = 11;
/** Long enough to connect; a member that cannot say that it leaves is given up by the brokers after its session. */
const LEAVE_DEADLINE_MS = 5_000;

/**
 * kafkajs cannot leave while it joins: it waits for the end of the rebalance, or gives up and stays a member until its session ends. Either way
 * it is given partitions that it does not read, and the group rebalances once more. The brokers read nothing else on a connection on which a
 * join waits, so this leaves on a connection of its own. `answered` is told of each answer to a join.
 */
export function watchMembership(
  kafka: Kafka,
  group: string,
  logger: Logger,
  answered: () => void,
): KafkaMembership {
  let joining = false;
  let ended = false;
  let memberId = '';
  const leaving = new Map<string, Promise<void>>();

  const leaveAs = async (id: string) => {
    const cluster = createInnerCluster(kafka);
    try {
      await cluster.connect();
      const coordinator = await cluster.findGroupCoordinator({ groupId: group });
      await coordinator.leaveGroup({ groupId: group, memberId: id });
    } finally {
      await cluster.disconnect();
    }
  };
  const beginToLeave = () => {
    if (!joining || memberId === '' || leaving.has(memberId)) return;
    const left = leaveAs(memberId).catch((err: unknown) =>
      logger.debug({ err }, 'kafka: leaving the group failed'),
    );
    leaving.set(memberId, left);
  };

  changeMessages(kafka, <T>(message: InnerMessage<T>): InnerMessage<T> => {
    const { request, response } = message;
    if (request.apiKey !== JOIN_GROUP_API) return message;
    if (ended) throw new kafkajs.KafkaJSNonRetriableError('the session was closed while it joined its group');
    joining = true;
    const decode = async (payload: Buffer): Promise<T> => {
      const decoded = await response.decode(payload);
      answered();
      // The brokers name the member before it joins (in an error), and wait for it from then on.
      memberId = (decoded as { memberId?: string }).memberId || memberId;
      if (ended) beginToLeave();
      return decoded;
    };
    return { ...message, response: { ...response, decode } };
  });

  return {
    joined: () => {
      joining = false;
    },
    leave: async () => {
      ended = true;
      beginToLeave();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, LEAVE_DEADLINE_MS);
      });
      await Promise.race([Promise.all(leaving.values()), late]);
      clearTimeout(timer);
    },
  };
}
