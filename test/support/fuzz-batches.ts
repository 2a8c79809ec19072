import { readFileSync } from 'node:fs';
import { types } from 'node:util';
import { gzipSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import { MAX_BATCH_BYTES, registerKafkaCodecs } from '../../src/collectors/kafka-codecs.js';
import { decodeProgress } from '../../src/collectors/partition-progress.js';
import { decodeRecord, encodeRecord, readPrefix, SALT_BYTES } from '../../src/sidecar/records.js';
import type { Fuzzer } from './fuzz-inputs.js';
import { decodeFetched, encodeBatch, encodeFetch, sealBatch } from './kafka-batches.js';

const { packed } = JSON.parse(readFileSync(new URL('../oracle/codecs.json', import.meta.url), 'utf8')) as {
  packed: Readonly<Record<string, string>>;
};

type Codec = () => { decompress: (data: Buffer) => Promise<Buffer> };
const CODECS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

/**
 * Damaged Kafka batches in every codec, commits' metadata, and the sidecar's records: they are unpacked within the limit, or refused with an
 * error. Gives what it tried and what became of it; throws where a limit is passed or damage goes unnoticed.
 */
export function createBatchFuzzer(fuzzer: Fuzzer): (bytes: Buffer) => Promise<string> {
  registerKafkaCodecs();
  const corpus = Object.entries(packed).map(([name, text]) => {
    const codec = Object.keys(CODECS).find((known) => name.startsWith(known)) as keyof typeof CODECS;
    return { codec, bytes: Buffer.from(text, 'base64') };
  });

  async function batch(bytes: Buffer): Promise<string> {
    const { codec, bytes: whole } = fuzzer.pick([
      ...corpus,
      { codec: 'gzip' as const, bytes: gzipSync(bytes, { level: 1 }) },
    ]);
    // Short ones are quicker, and damage is found near the beginning.
    const part = whole.subarray(0, fuzzer.pick([200, 2_000, whole.length]));
    const { decompress } = (kafkajs.CompressionCodecs as unknown as Record<number, Codec>)[
      CODECS[codec]
    ]?.() ?? { decompress: () => Promise.reject(new TypeError(`no codec ${codec}`)) };
    let unpacked: Buffer;
    try {
      unpacked = await decompress(fuzzer.bytes(part));
    } catch (error) {
      if (!types.isNativeError(error)) throw new TypeError(`${codec} threw ${String(error)}`);
      return `${codec} refused`;
    }
    if (unpacked.length > MAX_BATCH_BYTES) throw new Error(`${codec}: ${unpacked.length} bytes`);
    return `${codec} unpacked`;
  }

  function spooled(body: Buffer): string {
    const [prefix, ...rest] = encodeRecord(
      { path: '/v1/ingest', headers: { 'content-type': 'x' }, body },
      Buffer.alloc(SALT_BYTES, 7),
    );
    const whole = Buffer.concat([prefix ?? Buffer.alloc(0), ...rest]);
    const changed = fuzzer.bytes(whole);
    const found = readPrefix(changed);
    if (found === null) return 'spooled refused';
    const end = found.bytes + found.headLength + found.bodyLength;
    const request = decodeRecord(found, changed.subarray(found.bytes, end));
    if (request !== null && !request.body.equals(body))
      throw new Error('a damaged record was taken as whole');
    return `spooled ${request === null ? 'refused' : 'read'}`;
  }

  function metadata(): string {
    const valid = { v: 1, epoch: 'e', topic: 't', s: 3, e: 9, r: 1 };
    const progress = decodeProgress(JSON.stringify(fuzzer.value(valid)) ?? '');
    if (progress?.pending != null && !(progress.pending.start <= progress.pending.end))
      throw new Error('a pending range of nonsense');
    return `metadata ${progress === null ? 'refused' : 'read'}`;
  }

  /** A fetch with a batch of records like `bytes`: damage is refused, or costs no more than its own records. */
  async function fetched(bytes: Buffer): Promise<string> {
    const records = [0, 1, 2].map((offsetDelta) => {
      const headers = offsetDelta === 1 ? { ce_id: Buffer.from('1') } : {};
      return { offsetDelta, timestampDelta: offsetDelta, key: null, value: bytes, headers };
    });
    const set = await encodeBatch({ firstOffset: 7, firstTimestamp: 1, lastOffsetDelta: 2, records });
    // Mostly with a checksum that fits: else nothing behind it would be reached.
    const changed = fuzzer.pick([true, true, false]) ? sealed(fuzzer.bytes(set)) : set;
    const fetch = encodeFetch('t', [{ partition: 0, set: changed }]);
    const payload = changed === set ? fuzzer.bytes(fetch) : fetch;
    try {
      const { partitions } = await decodeFetched(payload, (_, error) => {
        throw error;
      });
      for (const { batches } of partitions)
        for (let index = 0; index < (batches[0]?.records.length ?? 0); index += 1)
          if ((batches[0]?.records.at(index)?.value?.length ?? 0) > payload.length)
            throw new TypeError('a value that is longer than the fetch');
    } catch (error) {
      // What our own code does wrong is a TypeError; damage is a RangeError, or what a codec says.
      if (!types.isNativeError(error) || error.name === 'TypeError') throw error;
      return 'fetch refused';
    }
    return 'fetch read';
  }

  const kinds = [batch, fetched, async (bytes: Buffer) => spooled(bytes), async () => metadata()];
  return (bytes) => fuzzer.pick(kinds)(bytes);
}

const sealed = (set: Buffer) => (set.length < 61 ? set : sealBatch(set));
