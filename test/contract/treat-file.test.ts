import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHasher, treatmentOf } from '../../src/collectors/treat-values.js';
import type { Store } from '../../src/domain/ports.js';
import type { AppliedRule, PrivacyRule } from '../../src/domain/privacy.js';
import { contentOf } from '../../src/domain/reference-columns.js';
import { inferSchema } from '../../src/jobs/infer-schema.js';
import { createStore } from '../../src/store/store.js';
import { startBridgeProcess } from '../support/clickhouse-bridge-process.js';
import { createSilentLogger } from '../support/silent-logger.js';

/** Longer than a block of SHA-256: it is hashed first. */
const BYTES = Buffer.from('a key of more than sixty-four characters, so that HMAC has to hash it before use');
const KEY = { bytes: BYTES, id: 'abcd1234' };
const CITIES = ['Bern', 'Basel', "L'Isle", 'back\\slash', 'Zürich', ''];

/** Awkward for arithmetic in binary: tenths, negatives, whole numbers, large and small. */
const numberAt = (row: number) =>
  row % 17 === 0 ? null : row % 5 === 0 ? row * 1e9 + 0.5 : (row - 150) / 10;
const cityAt = (row: number) => (row % 13 === 0 ? null : CITIES[(row * row) % CITIES.length]);
const RULES: Readonly<Record<string, PrivacyRule>> = {
  email: 'drop',
  postcode: 'hash',
  code: 'hash',
  tenths: { width: 0.1 },
  age: { width: 5 },
  income: 'bucket',
  city: { top: 3 },
  town: 'bucket',
};
const rowAt = (row: number) => ({
  email: `${row}@example.org`,
  postcode: cityAt(row),
  code: row,
  tenths: numberAt(row),
  age: row % 90,
  income: numberAt(row),
  city: cityAt(row),
  town: cityAt(row),
  kept: row / 3,
  prediction: row % 2,
});
const ROWS = Array.from({ length: 300 }, (_, row) => rowAt(row));

describe.each(['embedded', 'on a server'] as const)('a treated reference, %s', (kind) => {
  let directory = '';
  let store: Store;
  let stop: () => Promise<void> = async () => undefined;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-treat-'));
    const dataDir = join(directory, 'data');
    const logger = createSilentLogger();
    if (kind === 'embedded') {
      store = await createStore({ kind: 'embedded', dataDir, logger });
    } else {
      const bridge = await startBridgeProcess({ dataDir, password: 's3' });
      stop = bridge.kill;
      const login = { username: 'default', password: 's3' };
      store = await createStore({ kind: 'http', url: bridge.url, database: 'plumbline', ...login, logger });
    }
    await store.migrate();
  });
  afterAll(async () => {
    await store.close();
    await stop();
    await rm(directory, { recursive: true });
  });

  const csvCell = (value: unknown) =>
    value === null ? '\\N' : typeof value === 'string' ? `"${value.replaceAll('"', '""')}"` : String(value);
  const FILES: readonly (readonly [string, string])[] = [
    ['rows.ndjson', ROWS.map((row) => JSON.stringify(row)).join('\n')],
    [
      'rows.csv',
      [
        Object.keys(ROWS[0] ?? {}).join(','),
        ...ROWS.map((row) => Object.values(row).map(csvCell).join(',')),
      ].join('\n'),
    ],
  ];

  test.each(FILES)('%s holds what events would be stored as', async (name, text) => {
    const path = join(directory, name);
    const target = join(directory, `${name}.parquet`);
    await writeFile(path, text);
    const applied = await store.treatFile({ path, target, rules: RULES, known: new Map(), key: KEY });

    expect([...applied.keys()]).toEqual(['postcode', 'code', 'tenths', 'age', 'income', 'city', 'town']);
    expect(applied.get('postcode')).toEqual({ rule: 'hash', key: 'abcd1234' });
    expect(applied.get('age')).toEqual({ rule: 'bucket', width: 5 });
    const income = applied.get('income');
    expect(income !== undefined && 'edges' in income ? income.edges.length : 0).toBe(19);
    const city = applied.get('city');
    expect(city !== undefined && 'values' in city ? city.values.length : 0).toBe(3);

    const described = await store.describeFile(target);
    expect(described.map((column) => column.name)).toEqual([
      'postcode',
      'code',
      'tenths',
      'age',
      'income',
      'city',
      'town',
      'kept',
      'prediction',
    ]);
    const numeric = ['tenths', 'age', 'income', 'kept'];
    const columns = described.map(({ name: column }) => ({
      name: column,
      kind: numeric.includes(column) ? ('numeric' as const) : ('categorical' as const),
    }));
    const stored = await store.readRows(target, columns, null, 1_000);
    const hash = createHasher(BYTES);
    const expected = ROWS.map((row) =>
      columns.map(({ name: column }) => {
        const value = row[column as keyof typeof row] ?? null;
        const rule = Object.hasOwn(RULES, column) ? (RULES[column] as PrivacyRule) : 'keep';
        const treatment = treatmentOf(column, rule, applied.get(column), hash);
        if (value === null) return null;
        if (treatment === null) return column === 'prediction' ? String(value) : value;
        return typeof value === 'number' ? treatment.number(value) : treatment.text(value);
      }),
    );
    const text0 = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
    expect(text0(stored.map(({ values }) => values))).toEqual(text0(expected));
  });

  test.each([
    ['examples/flights/reference.parquet', null],
    [
      'kept.csv',
      [
        'timestamp,since,flag,word,code,gap,ratio,day,prediction',
        '2026-01-01T00:00:00Z,2025-12-01 00:00:00,True,NA,007,,1e-05,2026-01-01,1',
        '2026-01-01T01:00:00.5Z,2025-12-01 10:00:00,False,"a ""b"", c",012,3,0.25,2026-01-02,0',
        '2026-01-01T02:00:00+02:00,2025-12-02 00:00:00,True,Zürich,100,,2,2026-01-03,1',
      ].join('\n'),
    ],
    [
      'kept.ndjson',
      [
        '{"timestamp":"2026-01-01T00:00:00Z","since":"2025-12-01T00:00:00Z","flag":true,"word":"x","big":9007199254740993,"gap":null,"prediction":"yes","list":[1]}',
        '{"timestamp":"2026-01-01T01:00:00Z","since":"2025-12-01T00:00:00Z","flag":false,"word":null,"big":1,"gap":2.5,"prediction":"no","list":[]}',
      ].join('\n'),
    ],
  ] as const)('what is kept of %s is read as before', async (name, text) => {
    const path = text === null ? name : join(directory, name);
    if (text !== null) await writeFile(path, text);
    const target = join(directory, `kept-${basename(name)}.parquet`);
    await store.treatFile({ path, target, rules: {}, known: new Map(), key: KEY });
    const [before, after] = [await store.describeFile(path), await store.describeFile(target)];
    const told = (columns: typeof before) =>
      columns.map(({ type, ...column }) => ({ ...column, content: contentOf(type) }));
    expect(told(after)).toEqual(told(before));
    const { schema, timestampColumn } = inferSchema(before, name);
    expect(inferSchema(after, name)).toEqual(inferSchema(before, name));
    const columns = [...schema.features, { name: 'prediction', kind: 'categorical' as const }];
    expect(await store.readRows(target, columns, timestampColumn, 500)).toEqual(
      await store.readRows(path, columns, timestampColumn, 500),
    );
  });

  test('buckets that were learned before stay', async () => {
    const path = join(directory, 'rows.ndjson');
    const target = join(directory, 'known.parquet');
    const edges: AppliedRule = { rule: 'bucket', edges: [0, 10] };
    const known = new Map([['income', edges]]);
    const applied = await store.treatFile({ path, target, rules: { income: 'bucket' }, known, key: KEY });
    expect(applied.get('income')).toEqual(edges);
    const rows = await store.readRows(target, [{ name: 'income', kind: 'numeric' }], null, 1_000);
    expect(new Set(rows.map(({ values }) => values[0]))).toEqual(new Set([null, 0, 10]));
  });

  test.each([
    ['a width for text', { city: { width: 5 } }, 'city gives a width'],
    ['nested values', { list: 'hash' }, 'does not fit nested values'],
  ] as const)('refuses %s', async (_, rules, message) => {
    const path = join(directory, 'awkward.ndjson');
    await writeFile(path, JSON.stringify({ city: 'Bern', list: [1, 2], prediction: 1 }));
    const target = join(directory, 'awkward.parquet');
    await expect(store.treatFile({ path, target, rules, known: new Map(), key: KEY })).rejects.toMatchObject({
      code: 'invalid_reference',
      message: expect.stringContaining(message),
    });
  });
});
