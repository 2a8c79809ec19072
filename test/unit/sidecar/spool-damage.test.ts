import {
  copyFile,
  mkdir,
  mkdtemp,
  open as openFile,
  readdir,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeRecord, SALT_BYTES } from '../../../src/sidecar/records.js';
import { openSpool, type Spool } from '../../../src/sidecar/spool.js';
import { createSilentLogger } from '../../support/silent-logger.js';
import { unsaltedRecord } from '../../support/spool-records.js';

const MOST = { records: 3, bytes: 1_000_000 };
const request = (id: number) => ({
  path: '/v1/ingest?model=m',
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(`${id}`.padEnd(10, ' ')),
});
const idOf = ({ body }: { readonly body: Buffer }) => Number(body.toString());

describe('a spool with a damaged file', () => {
  let directory: string;
  const opened: Spool[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-spool-'));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((spool) => spool.close()));
    await rm(directory, { recursive: true, force: true });
  });

  const open = async () => {
    const spool = await openSpool({ directory, maxBytes: 1_000_000, logger: createSilentLogger() });
    opened.push(spool);
    return spool;
  };
  const segments = async () => (await readdir(directory)).filter((name) => name.endsWith('.spool')).sort();
  const deliverAll = async (spool: Spool) => {
    const ids: number[] = [];
    for (;;) {
      const requests = await spool.next(MOST);
      if (requests.length === 0) return ids;
      ids.push(...requests.map(idOf));
      await spool.delivered();
    }
  };

  /** Turns a byte of the only file over. */
  const damage = async (at: number) => {
    const [name = ''] = await segments();
    const file = await openFile(join(directory, name), 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    await file.write(
      byte.map((value) => value ^ 0xff),
      0,
      1,
      at,
    );
    await file.close();
    return name;
  };

  it.each([false, true])(
    'delivers what is intact around a damaged byte, wherever it is (after a start: %s)',
    async (isStart) => {
      const ids = [0, 1, 2, 3, 4];
      await fc.assert(
        fc.asyncProperty(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (where) => {
          await rm(directory, { recursive: true, force: true });
          let spool = await open();
          // What looks like the beginning of a record is none.
          const of = (id: number) => ({ ...request(id), headers: { 'ce-id': `PLS2${'x'.repeat(id * 20)}` } });
          const ends: number[] = [];
          for (const id of ids) {
            await spool.append(of(id));
            ends.push(spool.bytes);
          }
          if (isStart) await spool.close();
          const at = Math.floor(where * (ends.at(-1) ?? 0));
          const name = await damage(at);
          if (isStart) spool = await open();
          const damaged = ends.findIndex((end) => at < end);
          expect(await deliverAll(spool)).toEqual(ids.filter((id) => id !== damaged));
          expect(spool.damagedBytes).toBe((ends[damaged] ?? 0) - (ends[damaged - 1] ?? 0));
          expect(await readdir(directory)).toContain(`${name}.damaged`);
          expect([spool.records, spool.bytes]).toEqual([0, 0]);
          await spool.append(request(9));
          expect(await deliverAll(spool)).toEqual([9]);
          await spool.close();
        }),
        { numRuns: 40 },
      );
    },
  );

  it('tells of a file in which nothing is intact any more, and removes it', async () => {
    const spool = await open();
    await spool.append(request(1));
    const name = await damage(3);
    expect(await deliverAll(spool)).toEqual([]);
    expect([spool.records, spool.bytes, await segments()]).toEqual([0, 0, []]);
    expect(await readdir(directory)).toContain(`${name}.damaged`);
  });

  it.each([[[1, 2]], [[2, 1]], [[1, 3, 2]], [[0, 1, 2, 3]]])(
    'passes over what is damaged beside known damage, and counts it once (%j)',
    async (order) => {
      let spool = await open();
      const ends: number[] = [];
      for (const id of [0, 1, 2, 3, 4]) {
        await spool.append(request(id));
        ends.push(spool.bytes);
      }
      await spool.close();
      const [first = 0, ...later] = order;
      await damage((ends[first] ?? 0) - 1);
      spool = await open();
      const size = ends[0] ?? 0;
      expect(spool.damagedBytes).toBe(size);
      for (const id of later) {
        await damage((ends[id] ?? 0) - 1);
        await spool.next({ records: 5, bytes: 1_000 });
      }
      expect(spool.damagedBytes).toBe(size * order.length);
      expect(await deliverAll(spool)).toEqual([0, 1, 2, 3, 4].filter((id) => !order.includes(id)));
      expect([spool.records, spool.bytes]).toEqual([0, 0]);
    },
  );

  it.each(['cut', 'damaged'])('finds no request within the body of one that is %s', async (how) => {
    let spool = await open();
    await spool.append(request(1));
    const start = spool.bytes;
    const forged = [unsaltedRecord(request(8)), ...encodeRecord(request(9), Buffer.alloc(SALT_BYTES))];
    await spool.append({ ...request(2), body: Buffer.concat([...forged, Buffer.alloc(100)]) });
    const end = spool.bytes;
    await spool.append(request(3));
    await spool.close();
    const name = await damage(end - 1);
    if (how === 'cut') await truncate(join(directory, name), end - 1);
    spool = await open();
    expect(await deliverAll(spool)).toEqual(how === 'cut' ? [1] : [1, 3]);
    expect(spool.damagedBytes).toBe(how === 'cut' ? 0 : end - start);
  });

  it('reads in order what earlier versions wrote, and what was written with a salt that is lost', async () => {
    await writeFile(
      join(directory, '0000000001.spool'),
      Buffer.concat([unsaltedRecord(request(1)), unsaltedRecord(request(2))]),
    );
    let spool = await open();
    await spool.append(request(3));
    const { mode, size } = await stat(join(directory, 'salt'));
    expect([mode & 0o777, size]).toEqual([0o600, SALT_BYTES]);
    await spool.close();
    for (const broken of ['', 'rubbish of another length']) {
      await writeFile(join(directory, 'salt'), broken);
      spool = await open();
      await spool.close();
    }
    expect(await deliverAll(await open())).toEqual([1, 2, 3]);
  });

  it('delivers on when its salt cannot be kept', async () => {
    await mkdir(join(directory, 'salt.new', 'x'), { recursive: true });
    const spool = await open();
    await spool.append(request(1));
    await spool.close();
    expect(await deliverAll(await open())).toEqual([1]);
  });

  it('counts no bytes of a file that lost its end, and of which its position was delivered', async () => {
    let spool = await open();
    for (const id of [1, 2, 3]) await spool.append(request(id));
    await spool.next({ records: 2, bytes: 1_000 });
    await spool.delivered();
    await spool.close();
    const [name = ''] = await segments();
    await truncate(join(directory, name), 20);
    spool = await open();
    expect([spool.records, spool.bytes]).toEqual([0, 0]);
    await spool.append(request(4));
    expect(spool.bytes).toBeGreaterThan(0);
    expect(await deliverAll(spool)).toEqual([4]);
  });

  it('keeps a damaged file once, also where its other name is a copy', async () => {
    await (await open()).append(request(1));
    await opened[0]?.append(request(2));
    await opened.pop()?.close();
    const name = await damage(30);
    const kept = async () => (await readdir(directory)).filter((one) => one.endsWith('.damaged')).length;
    await copyFile(join(directory, name), join(directory, `${name}.damaged`));
    await (await open()).close();
    expect(await kept()).toBe(1);
    // Of another file that had the number.
    await writeFile(
      join(directory, `${name}.damaged`),
      Buffer.alloc((await stat(join(directory, name))).size),
    );
    for (let start = 0; start < 3; start += 1) {
      await (await open()).close();
      expect(await kept()).toBe(2);
    }
  });
});
