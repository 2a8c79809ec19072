import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface KafkaKeys {
  /** Key and certificate of the broker in one PEM file, for 127.0.0.1. */
  readonly brokerFile: string;
  /** The authority that signed them all. */
  readonly caFile: string;
  /** PEM texts. */
  readonly ca: string;
  /** Of an authority that signed none of them. */
  readonly otherCa: string;
  readonly client: { readonly cert: string; readonly key: string };
}

/** Makes an authority with openssl, which signs certificates for a broker and a client; and another authority. */
export async function makeKafkaKeys(parent: string): Promise<KafkaKeys> {
  const directory = join(parent, 'keys');
  mkdirSync(directory);
  const at = (name: string) => join(directory, name);
  const text = (name: string) => readFileSync(at(name), 'utf8');
  const newKey = (name: string) => ['-newkey', 'rsa:2048', '-nodes', '-keyout', at(`${name}.key`)];

  const authority = (name: string) =>
    run('openssl', [
      'req',
      '-x509',
      ...newKey(name),
      ...['-out', at(`${name}.pem`), '-days', '2', '-subj', `/CN=${name}`],
    ]);
  const signed = async (name: string, subject: string) => {
    await run('openssl', ['req', ...newKey(name), ...['-out', at(`${name}.csr`), '-subj', subject]]);
    await run('openssl', [
      ...['x509', '-req', '-in', at(`${name}.csr`), '-out', at(`${name}.pem`), '-days', '2'],
      ...['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('names')],
    ]);
  };
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1\n');
  await Promise.all([authority('ca'), authority('other')]);
  await signed('broker', '/CN=broker');
  await signed('client', '/CN=collector');
  writeFileSync(at('broker-all.pem'), `${text('broker.key')}${text('broker.pem')}`);
  return {
    brokerFile: at('broker-all.pem'),
    caFile: at('ca.pem'),
    ca: text('ca.pem'),
    otherCa: text('other.pem'),
    client: { cert: text('client.pem'), key: text('client.key') },
  };
}
