import { rmSync } from 'node:fs';
import type { GuardedProcess } from './guarded-process.js';
import { type KafkaLog, openKafkaLog } from './kafka-log.js';
import {
  commonProperties,
  freePorts,
  launchNode,
  newClusterId,
  prepareNode,
  withAttempts,
} from './kafka-node.js';

/** User and password that the SASL listener accepts. */
export const SASL_USER = { username: 'drift', password: 'test-only' };

export interface KafkaBroker extends KafkaLog {
  /** `host:port` of the plain listener. */
  readonly address: string;
  /** `host:port` of the SASL_PLAINTEXT listener. */
  readonly saslAddress: string;
  /** Port of the listener whose clients are sent to the proxy's port. */
  readonly proxiedPort: number;
  /** Where its logs are, a folder for each partition. */
  readonly logDirectory: string;
  /** kill -9; data and ports stay for `restart`. */
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
  /** Ends the broker and deletes its data. */
  readonly stop: () => Promise<void>;
}

interface BrokerPorts {
  readonly plain: number;
  readonly sasl: number;
  readonly controller: number;
  readonly proxied: number;
  /** What clients of the proxied listener are told to connect to. */
  readonly proxy: number;
}

function properties(directory: string, { plain, sasl, controller, proxied, proxy }: BrokerPorts): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${plain},SASL_PLAINTEXT://127.0.0.1:${sasl},PROXIED://127.0.0.1:${proxied},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${plain},SASL_PLAINTEXT://127.0.0.1:${sasl},PROXIED://127.0.0.1:${proxy}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_${SASL_USER.username}="${SASL_USER.password}";
log.dirs=${directory}/data
${commonProperties(1)}`;
}

/**
 * Starts a real single-node KRaft broker on free loopback ports. Its jars come from scripts/install-test-deps.sh.
 * It cannot outlive the test process. `proxyPort`: a proxy that clients of the proxied listener are to go through.
 */
export function startKafkaBroker({ proxyPort }: { proxyPort?: number } = {}): Promise<KafkaBroker> {
  return withAttempts(async (directory, root) => {
    const [plain = 0, sasl = 0, controller = 0, proxied = 0] = await freePorts(4);
    const ports = { plain, sasl, controller, proxied, proxy: proxyPort ?? proxied };
    await prepareNode(directory, {
      properties: properties(directory, ports),
      clusterId: newClusterId(directory),
    });
    const address = `127.0.0.1:${plain}`;
    let running: GuardedProcess = await launchNode(directory, address);
    return {
      ...openKafkaLog([address]),
      address,
      saslAddress: `127.0.0.1:${sasl}`,
      proxiedPort: proxied,
      logDirectory: `${directory}/data`,
      kill: () => running.kill(),
      restart: async () => {
        await running.kill();
        running = await launchNode(directory, address);
      },
      stop: async () => {
        await running.kill();
        rmSync(root, { recursive: true, force: true });
      },
    };
  });
}
