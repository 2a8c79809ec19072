import kafkajs, { type Kafka, type KafkaConfig, type LogEntry, type SASLOptions } from 'kafkajs';
import type { Logger } from '../domain/ports.js';
import { messageOf } from '../errors.js';
import { registerKafkaCodecs } from './kafka-codecs.js';

export interface KafkaConnection {
  /** `host:port`, any of the cluster's brokers. */
  readonly brokers: readonly string[];
  readonly clientId?: string;
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
  /** `true` trusts the system's authorities; PEM texts otherwise. */
  readonly ssl?:
    | boolean
    | {
        readonly ca?: string | undefined;
        readonly cert?: string | undefined;
        readonly key?: string | undefined;
      };
}

const { logLevel } = kafkajs;

/** A kafkajs client whose log goes to ours. What kafkajs calls an error is a warning here: the supervisor retries. */
export function createKafkaClient(connection: KafkaConnection, logger: Logger): Kafka {
  registerKafkaCodecs();
  const config: KafkaConfig = {
    clientId: connection.clientId ?? 'plumbline',
    brokers: [...connection.brokers],
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    // Few: the supervisor tries again, and says in the meantime what is wrong.
    retry: { retries: 3, initialRetryTime: 200, maxRetryTime: 1_000 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => writeLog(logger, entry),
  };
  if (connection.sasl !== undefined) config.sasl = { ...connection.sasl } as SASLOptions;
  if (connection.ssl !== undefined) {
    const given = typeof connection.ssl === 'boolean' ? [] : Object.entries(connection.ssl);
    config.ssl =
      typeof connection.ssl === 'boolean'
        ? connection.ssl
        : Object.fromEntries(given.filter(([, pem]) => pem !== undefined));
  }
  return new kafkajs.Kafka(config);
}

function writeLog(logger: Logger, { level, namespace, log }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _name, stack: _stack, ...fields } = log;
  const text = `kafkajs ${namespace}: ${message}`;
  if (level === logLevel.DEBUG) logger.debug(fields, text);
  else if (level === logLevel.INFO) logger.info(fields, text);
  else logger.warn(fields, text);
}

/** kafkajs wraps the reason of a failure in the reason for giving up: the innermost names it. */
function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined && error.cause !== null
    ? innermost(error.cause)
    : error;
}

/** Alerts of a broker that is not content with the certificate it got, or got none. */
const TLS_REFUSED = /alert (bad certificate|certificate required|certificate unknown|unknown ca)/;

/** One line that says what is wrong with the brokers and what to do. */
export function explainKafkaError(error: unknown, connection: KafkaConnection): string {
  const cause = innermost(error);
  const brokers = connection.brokers.join(', ');
  if (!(cause instanceof Error)) return `kafka (${brokers}): ${String(cause)}`;
  const text = `${cause.name} ${cause.message}`;
  if (cause.name === 'KafkaJSSASLAuthenticationError') {
    return `kafka (${brokers}) refused the credentials of user ${connection.sasl?.username ?? '(none)'}: check kafka.sasl`;
  }
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|Connection timeout/.test(text)) {
    return `no kafka broker answers at ${brokers}: check kafka.brokers and that the brokers run (${cause.message})`;
  }
  if (/does not support the requested SASL mechanism/.test(text)) {
    return `kafka (${brokers}) does not offer ${connection.sasl?.mechanism ?? 'that'}: check kafka.sasl.mechanism`;
  }
  if (TLS_REFUSED.test(text)) {
    return `kafka (${brokers}) wants a certificate that it trusts: check kafka.ssl.certFile and keyFile (${cause.message.trim()})`;
  }
  if (/certificate/i.test(text)) {
    return `kafka (${brokers}) shows a certificate that is not trusted: check kafka.ssl.caFile, and that it is for the names in kafka.brokers (${cause.message})`;
  }
  if (/before secure TLS connection was established|wrong version number/.test(text)) {
    return `kafka (${brokers}) does not speak TLS there: check the ports in kafka.brokers, or leave kafka.ssl out (${cause.message.trim()})`;
  }
  if (cause.name === 'KafkaJSConnectionClosedError' && !(connection.sasl && connection.ssl)) {
    return `kafka (${brokers}) closed the connection: it may want kafka.sasl or kafka.ssl (${cause.message})`;
  }
  if (cause.name === 'KafkaJSNotImplemented' || cause instanceof RangeError) {
    return explainUnreadable(cause, connection);
  }
  return `kafka (${brokers}): ${cause.message}`;
}

/** The same of a batch that cannot be read, whatever its codec says of it. */
export function explainUnreadable(error: unknown, connection: KafkaConnection): string {
  const brokers = connection.brokers.join(', ');
  return `kafka (${brokers}) sent a batch that cannot be unpacked, reading stops before it: ${messageOf(innermost(error))}`;
}
