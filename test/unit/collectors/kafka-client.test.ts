import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { explainKafkaError } from '../../../src/collectors/kafka-client.js';
import { kafkaConnection, parseConfig } from '../../../src/config.js';

const section = (kafka: unknown) => {
  const { kafka: parsed } = parseConfig({ kafka });
  if (parsed === undefined) throw new TypeError('no kafka section');
  return parsed;
};

describe('kafka configuration', () => {
  it('needs brokers only', () => {
    expect(section({ brokers: ['a:9092', '[::1]:9093'] })).toEqual({
      brokers: ['a:9092', '[::1]:9093'],
      group: 'plumbline',
      predictions: ['predictions'],
      labels: [],
      ssl: false,
    });
  });

  it.each([
    [{ brokers: ['kafka'] }, /a broker reads host:port/],
    [{ brokers: [] }, /kafka\.brokers/],
    [{ brokers: ['a:1'], predictions: ['a b'] }, /a topic has letters/],
    [{ brokers: ['a:1'], predictions: ['t'], labels: ['t'] }, /a topic stands once/],
    [{ brokers: ['a:1'], sasl: { username: 'u' } }, /give passwordEnv or passwordFile/],
    [{ brokers: ['a:1'], sasl: { username: 'u', password: 'x' } }, /password/],
  ])('refuses %j', (kafka, message) => {
    expect(() => parseConfig({ kafka })).toThrow(message);
  });

  it('takes the password and the certificates from where they are', () => {
    const directory = mkdtempSync(join(tmpdir(), 'kafka-config-'));
    try {
      writeFileSync(join(directory, 'ca.pem'), 'CA\n');
      const parsed = section({
        brokers: ['a:1'],
        sasl: { mechanism: 'scram-sha-512', username: 'u', passwordEnv: 'SECRET' },
        ssl: { caFile: join(directory, 'ca.pem') },
      });
      expect(kafkaConnection(parsed, { SECRET: 's3' })).toEqual({
        brokers: ['a:1'],
        sasl: { mechanism: 'scram-sha-512', username: 'u', password: 's3' },
        ssl: { ca: 'CA', cert: undefined, key: undefined },
      });
      expect(() => kafkaConnection(parsed, {})).toThrow(/SECRET is empty/);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('what is wrong with the brokers', () => {
  const connection = {
    brokers: ['a:1'],
    sasl: { mechanism: 'plain' as const, username: 'u', password: 'p4ss' },
  };
  const named = (name: string, message: string) => Object.assign(new Error(message), { name });

  it('is told by the innermost cause', () => {
    const refused = named('KafkaJSConnectionError', 'Connection error: connect ECONNREFUSED 127.0.0.1:1');
    const wrapped = new Error('retries exceeded', { cause: refused });
    expect(explainKafkaError(wrapped, connection)).toMatch(
      /^no kafka broker answers at a:1: check kafka\.brokers/,
    );
  });

  it('names the user, never the password', () => {
    const text = explainKafkaError(named('KafkaJSSASLAuthenticationError', 'bad p4ss'), connection);
    expect(text).toMatch(/refused the credentials of user u/);
    expect(text).not.toContain('p4ss');
  });

  it.each([
    [
      'Connection error: error:0A000412:SSL routines:sslv3 alert bad certificate',
      /check kafka\.ssl\.certFile and keyFile/,
    ],
    ['Connection error: tlsv13 alert certificate required', /check kafka\.ssl\.certFile and keyFile/],
    [
      'Connection error: self-signed certificate in certificate chain',
      /not trusted: check kafka\.ssl\.caFile/,
    ],
    ["Hostname/IP does not match certificate's altnames", /it is for the names in kafka\.brokers/],
    [
      'Connection error: Client network socket disconnected before secure TLS connection was established',
      /does not speak TLS there/,
    ],
    [
      'The broker does not support the requested SASL mechanism',
      /does not offer plain: check kafka\.sasl\.mechanism/,
    ],
  ])('names the setting to mend: %s', (message, advice) => {
    expect(explainKafkaError(named('KafkaJSConnectionError', message), connection)).toMatch(advice);
  });

  it('says when the brokers seem to want authentication', () => {
    const closed = named('KafkaJSConnectionClosedError', 'Closed connection');
    expect(explainKafkaError(closed, { brokers: ['a:1'] })).toMatch(/may want kafka\.sasl or kafka\.ssl/);
  });
});
