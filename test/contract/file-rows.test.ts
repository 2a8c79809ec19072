import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { writeRowsAsLines } from '../../src/store/file-rows.js';

describe('rows of a CSV file', () => {
  let directory: string;
  let engine: StoreClient;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-file-rows-'));
    engine = await createStoreClient({ kind: 'embedded', dataDir: join(directory, 'engine') });
  });
  afterAll(async () => {
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('keep texts that are no plain numbers', async () => {
    const csv = [
      ',id,age,plan,card,phone,ratio,share,size,quoted,gaps,flag,day,odd `name`,model_version',
      '0,007,31,007,12345678901234567890,+5,1.50,1e3,12,"12",NaN,true,2026-01-01,1,1.10',
      '1,00123,,00123,1,6,-0.25,2,9007199254740991,"",1.5,false,2026-01-02,2,1.10',
      '2,1e3,40,7,2,,.5,1E-05,,,,,,,2',
    ];
    await writeFile(join(directory, 'texts.csv'), `${csv.join('\r\n')}\r\n`);
    const target = join(directory, 'texts.ndjson');
    await writeRowsAsLines(engine, join(directory, 'texts.csv'), target);
    const rows = (await readFile(target, 'utf8')).trim().split('\n');
    const shared = { 'odd `name`': 1, card: '12345678901234567890', day: '2026-01-01' };
    expect(rows.map((row) => JSON.parse(row))).toEqual([
      {
        ...shared,
        id: '007',
        age: 31,
        plan: '007',
        phone: '+5',
        ratio: 1.5,
        share: 1000,
        size: 12,
        quoted: '12',
        gaps: null,
        flag: true,
        model_version: '1.10',
      },
      {
        'odd `name`': 2,
        card: '1',
        day: '2026-01-02',
        id: '00123',
        age: null,
        plan: '00123',
        phone: '6',
        ratio: -0.25,
        share: 2,
        size: Number.MAX_SAFE_INTEGER,
        quoted: '',
        gaps: 1.5,
        flag: false,
        model_version: '1.10',
      },
      {
        'odd `name`': null,
        card: '2',
        day: null,
        id: '1e3',
        age: 40,
        plan: '7',
        phone: null,
        ratio: 0.5,
        share: 0.00001,
        size: null,
        quoted: null,
        gaps: null,
        flag: null,
        model_version: '2',
      },
    ]);
  });
});
