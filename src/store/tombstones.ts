import { createHmac, randomBytes } from 'node:crypto';
import type { ErasedRows, ErasureTarget, TargetsIn } from '../domain/erasure.js';
import { roundedText } from '../domain/json.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import { erasedRows, type ModelTombstones, ROUNDED } from './erased-lookup.js';

const HASH_BYTES = 16;
const KEY_BYTES = 32;
const INSERT_ROWS = 10_000;
const TIMEOUT_MS = 600_000;
interface Tombstone {
  readonly model: string;
  readonly kind: ErasureTarget['kind'];
  readonly tag: string;
  readonly hash: string;
}

/** What a process has refused itself. */
interface OwnRefusals {
  readonly revisions: number[];
  readonly hashes: Set<string>;
}

/** By which a change of the table shows. */
interface TableState {
  readonly n: number;
  readonly sum: string;
  /** Those stored under revisions of this process, and the sum of all others. */
  readonly mineN: number;
  readonly othersSum: string;
}

const stateOf = (n: number, sum: string) => (n === 0 ? '' : `${n}/${sum}`);

/** Hashes of what was erased: what comes is hashed alike, so that nobody can read from them what it was. */
export function createTombstones(
  client: StoreClient,
  nextRevision: () => number,
  wallClock: () => number,
  onRefused: (rows: Parameters<ErasedRows['refuse']>[0]) => void = () => undefined,
) {
  let key: Buffer | null = null;
  let known = '';
  let current: ErasedRows | null = null;
  /** Ids that this process has refused itself, as hashes: a set that is read meanwhile may lack them. */
  const refused = new Set<string>();
  /** What it has refused since the others were read. */
  let own: OwnRefusals = { revisions: [], hashes: new Set() };
  let lastRead: Promise<unknown> = Promise.resolve();
  let waiting: Promise<ErasedRows | null> | null = null;

  async function readKey(): Promise<Buffer | null> {
    const [row] = await client.query<{ key: string }>(
      'SELECT key FROM tombstone_keys ORDER BY at, key LIMIT 1',
    );
    return row === undefined ? null : Buffer.from(row.key, 'hex');
  }

  async function keyOf(): Promise<Buffer> {
    key ??= await readKey();
    if (key !== null) return key;
    await client.insert('tombstone_keys', [{ key: randomBytes(KEY_BYTES).toString('hex') }]);
    // Two processes may have made one: both use the older.
    key = await readKey();
    if (key === null) throw new TypeError('the key of the tombstones was stored, and is not there');
    return key;
  }

  const hashOf = (secret: Buffer, parts: readonly string[]) =>
    createHmac('sha256', secret)
      .update(JSON.stringify(parts), 'utf8')
      .digest('hex')
      .slice(0, 2 * HASH_BYTES);

  const predictionStone = (secret: Buffer, model: string, id: string): Tombstone => ({
    model,
    kind: 'prediction',
    tag: '',
    hash: hashOf(secret, [model, id]),
  });

  /** Returns the revision under which they are stored. */
  async function save(stones: readonly Tombstone[], atMs: number): Promise<number> {
    const until = dateTime64(atMs);
    const revision = nextRevision();
    for (let from = 0; from < stones.length; from += INSERT_ROWS)
      await client.insert(
        'tombstones',
        stones.slice(from, from + INSERT_ROWS).map((stone) => ({ ...stone, until, revision })),
      );
    return revision;
  }

  async function read(targetsIn: TargetsIn): Promise<ErasedRows> {
    const secret = await keyOf();
    const rows = await client.query<{ model: string; kind: string; tag: string; hash: string; ms: number }>(
      `SELECT model, kind, tag, hash, max(toUnixTimestamp64Milli(until)) AS ms
       FROM tombstones GROUP BY model, kind, tag, hash`,
      {},
      { timeoutMs: TIMEOUT_MS },
    );
    const models = new Map<string, ModelTombstones>();
    for (const { model, kind, tag, hash, ms } of rows) {
      const of = models.get(model) ?? { predictions: new Set(), subjects: new Map() };
      models.set(model, of);
      if (kind === 'prediction') of.predictions.add(hash);
      else of.subjects.set(tag, (of.subjects.get(tag) ?? new Map<string, number>()).set(hash, ms));
    }
    return {
      ...erasedRows(models, refused, targetsIn, (...parts) => hashOf(secret, parts)),
      async refuse(rows) {
        const all = rows.map(({ model, predictionId }) => predictionStone(secret, model, predictionId));
        // Rows of one call share their id.
        const stones = [...new Map(all.map((stone) => [`${stone.hash} ${stone.model}`, stone])).values()];
        const revision = await save(stones, wallClock());
        own.revisions.push(revision);
        for (const { hash } of stones) {
          refused.add(hash);
          own.hashes.add(hash);
        }
        onRefused(rows);
      },
    };
  }

  /** Reads all when there are others than last time: what this process has refused since is known to it. */
  async function readChanges(targetsIn: TargetsIn): Promise<ErasedRows | null> {
    const mine = own;
    own = { revisions: [], hashes: new Set() };
    try {
      const [state] = await client.query<TableState>(
        `SELECT count() AS n, toString(sum(stone)) AS sum, countIf(mine) AS mineN, toString(sumIf(stone, NOT mine)) AS othersSum
         FROM (SELECT cityHash64(model, kind, tag, hash, until) AS stone, revision IN (${[0, ...mine.revisions].join(', ')}) AS mine
               FROM tombstones FINAL)`,
      );
      const seen = state === undefined ? '' : stateOf(state.n, state.sum);
      // Another process may have stored some under the same revision, or have replaced ours: then the counts differ.
      const onlyMine =
        state !== undefined &&
        state.mineN === mine.hashes.size &&
        stateOf(state.n - state.mineN, state.othersSum) === known;
      if (!onlyMine) current = seen === '' ? null : await read(targetsIn);
      known = seen;
    } catch (error) {
      own = {
        revisions: [...mine.revisions, ...own.revisions],
        hashes: new Set([...mine.hashes, ...own.hashes]),
      };
      throw error;
    }
    return current;
  }

  return {
    /**
     * Reads only when there are others than last time. One after the other: of two at once the older could answer last. Who asks before a
     * read has begun is answered by it.
     */
    erasedRows(targetsIn: TargetsIn = () => () => []): Promise<ErasedRows | null> {
      waiting ??= lastRead.then(() => {
        waiting = null;
        const reading = readChanges(targetsIn);
        lastRead = reading.catch(() => undefined);
        return reading;
      });
      return waiting;
    },

    async bury(
      model: string,
      target: ErasureTarget,
      values: readonly string[],
      predictionIds: readonly string[],
      atMs: number,
    ): Promise<void> {
      const secret = await keyOf();
      const stones: Tombstone[] = [];
      const add = (kind: ErasureTarget['kind'], tag: string, parts: readonly string[], text: string) => {
        const rounded = roundedText(text);
        for (const all of [[...parts, text], ...(rounded === null ? [] : [[...parts, rounded, ROUNDED]])])
          stones.push({ model, kind, tag, hash: hashOf(secret, all) });
      };
      for (const id of predictionIds) add('prediction', '', [model], id);
      if (target.kind === 'subject')
        for (const value of values) add('subject', target.tag, [model, target.tag], value);
      await save(stones, atMs);
    },
  };
}
