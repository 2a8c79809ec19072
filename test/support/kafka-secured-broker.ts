import { rmSync } from 'node:fs';
import { type KafkaKeys, makeKafkaKeys } from './kafka-keys.js';
import { type KafkaLog, openKafkaLog } from './kafka-log.js';
import {
  commonProperties,
  freePorts,
  launchNode,
  newClusterId,
  prepareNode,
  withAttempts,
} from './kafka-node.js';

/** Users that the SCRAM listener knows, one for each mechanism. */
export const SCRAM_USERS = {
  'scram-sha-256': { username: 'shorter', password: 'test-only-256' },
  'scram-sha-512': { username: 'longer', password: 'test-only-512' },
} as const;

/** `host:port` of its listeners, each with the same certificate. */
export interface SecuredBroker extends KafkaLog {
  readonly tls: string;
  /** Wants a certificate of its client. */
  readonly mutual: string;
  /** TLS, and one of `SCRAM_USERS`. */
  readonly scram: string;
  readonly keys: KafkaKeys;
  /** Ends the broker and deletes its data. */
  readonly stop: () => Promise<void>;
}

interface Ports {
  readonly plain: number;
  readonly controller: number;
  readonly tls: number;
  readonly mutual: number;
  readonly scram: number;
}

function properties(directory: string, ports: Ports, keys: KafkaKeys): string {
  const { plain, controller, tls, mutual, scram } = ports;
  const listeners = `PLAINTEXT://127.0.0.1:${plain},TLS://127.0.0.1:${tls},MUTUAL://127.0.0.1:${mutual},SCRAM://127.0.0.1:${scram}`;
  const login = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=${listeners},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=${listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,TLS:SSL,MUTUAL:SSL,SCRAM:SASL_SSL,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location=${keys.brokerFile}
ssl.truststore.type=PEM
ssl.truststore.location=${keys.caFile}
listener.name.mutual.ssl.client.auth=required
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512
listener.name.scram.scram-sha-256.sasl.jaas.config=${login}
listener.name.scram.scram-sha-512.sasl.jaas.config=${login}
log.dirs=${directory}/data
${commonProperties(1)}`;
}

/** Starts a real broker with TLS and SCRAM, keys made for it. It cannot outlive the test process. */
export function startSecuredBroker(): Promise<SecuredBroker> {
  return withAttempts(async (directory, root) => {
    const keys = await makeKafkaKeys(directory);
    const [plain = 0, controller = 0, tls = 0, mutual = 0, scram = 0] = await freePorts(5);
    await prepareNode(directory, {
      properties: properties(directory, { plain, controller, tls, mutual, scram }, keys),
      clusterId: newClusterId(directory),
      users: Object.entries(SCRAM_USERS).map(
        ([mechanism, { username, password }]) =>
          `${mechanism.toUpperCase()}=[name=${username},password=${password}]`,
      ),
    });
    const address = `127.0.0.1:${plain}`;
    const running = await launchNode(directory, address);
    return {
      ...openKafkaLog([address]),
      tls: `127.0.0.1:${tls}`,
      mutual: `127.0.0.1:${mutual}`,
      scram: `127.0.0.1:${scram}`,
      keys,
      stop: async () => {
        await running.kill();
        rmSync(root, { recursive: true, force: true });
      },
    };
  });
}
