import {
  type FileHandle,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PREFIX_BYTES, SALT_BYTES } from '../../../src/sidecar/records.js';
import { openSpool, type Spool } from '../../../src/sidecar/spool.js';
import { createSilentLogger } from '../../support/silent-logger.js';
import { unsaltedRecord } from '../../support/spool-records.js';

const FIRST = '0000000001.spool';
const request = (id: number) => ({ path: '/v1/ingest', headers: {}, body: Buffer.from(`${id}`.repeat(100)) });
const idOf = ({ body }: { readonly body: Buffer }) => Number(body.toString('utf8', 0, 1));

describe('the end of a spool file that is not intact', () => {
  let directory: string;
  let logger: ReturnType<typeof createSilentLogger>;
  const opened: Spool[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-spool-'));
    logger = createSilentLogger();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((spool) => spool.close()));
    await rm(directory, { recursive: true, force: true });
  });

  const open = async (segmentBytes?: number) => {
    const bound = segmentBytes === undefined ? {} : { segmentBytes };
    const spool = await openSpool({ directory, maxBytes: 1_000_000, logger, ...bound });
    opened.push(spool);
    return spool;
  };
  /** Keeps requests of these ids and stops. Gives where each of them ends. */
  const write = async (ids: readonly number[], segmentBytes?: number) => {
    const spool = await open(segmentBytes);
    const ends: number[] = [];
    for (const id of ids) {
      await spool.append(request(id));
      ends.push(spool.bytes);
    }
    await spool.close();
    return ends;
  };
  const overwrite = async (at: number, bytes: Buffer | string, name = FIRST) => {
    const file = await openFile(join(directory, name), 'r+');
    const buffer = Buffer.from(bytes as string);
    await file.write(buffer, 0, buffer.length, at);
    await file.close();
  };
  const size = async () => (await stat(join(directory, FIRST))).size;
  const deliver = async (spool: Spool) => {
    const ids = (await spool.next({ records: 100, bytes: 1_000_000 })).map(idOf);
    await spool.delivered();
    await spool.next({ records: 1, bytes: 1 });
    return ids;
  };
  const names = (end: string) =>
    readdir(directory).then((all) => all.filter((name) => name.endsWith(end)).sort());
  const said = () => logger.lines.map(({ level, message }) => `${level} ${message}`);

  /** All of what was there is kept and counted, nothing is said to be a crash's, and the file itself goes. */
  const expectKept = async (spool: Spool, bytes: number, was: Buffer) => {
    expect(spool.damagedBytes).toBe(bytes);
    expect(await readFile(join(directory, `${FIRST}.damaged`))).toEqual(was);
    expect(said()).toEqual([expect.stringMatching(/^error .* damaged .* the file is kept/)]);
    expect([await names('.spool'), spool.records, spool.bytes]).toEqual([[], 0, 0]);
  };

  it('is damage where newer files follow', async () => {
    await write([0, 1, 2, 3, 4, 5], 300);
    expect(await names('.spool')).toHaveLength(3);
    const end = await size();
    await overwrite(end - 5, 'X');
    const was = await readFile(join(directory, FIRST));
    const spool = await open();
    expect(await deliver(spool)).toEqual([0, 2, 3, 4, 5]);
    await expectKept(spool, end / 2, was);
  });

  it('is damage where newer files follow, also when it was cut', async () => {
    await write([0, 1, 2, 3], 300);
    await truncate(join(directory, FIRST), (await size()) - 5);
    const was = await readFile(join(directory, FIRST));
    const spool = await open();
    expect(await deliver(spool)).toEqual([0, 2, 3]);
    await expectKept(spool, (was.length + 5) / 2 - 5, was);
  });

  // In the body, in the lengths (of which the checksum knows nothing), and in what a record begins with.
  it.each([80, 4 + SALT_BYTES, 4 + SALT_BYTES + 5, 4 + SALT_BYTES + 7, 4, 0])(
    'is damage where the salt is lost, and with it all behind the byte %i',
    async (at) => {
      const ends = await write([0, 1, 2, 3, 4, 5]);
      await overwrite(at, Buffer.from([1]));
      const was = await readFile(join(directory, FIRST));
      await unlink(join(directory, 'salt'));
      const spool = await open();
      expect(await deliver(spool)).toEqual([]);
      await expectKept(spool, ends.at(-1) ?? 0, was);
    },
  );

  it('is damage in a file of an earlier version', async () => {
    const records = [1, 2, 3].map((id) => unsaltedRecord(request(id)));
    const was = Buffer.concat(records);
    // The length of the second one: it seems to go beyond the end.
    const first = records[0]?.length ?? 0;
    was.writeUInt8(255, first + 9);
    await writeFile(join(directory, FIRST), was);
    const spool = await open();
    expect(await deliver(spool)).toEqual([1]);
    await expectKept(spool, was.length - first, was);
  });

  it.each([
    ['of which one page is not there', (end: number, start: number) => [start + PREFIX_BYTES + 60, end - 10]],
    ['of which nothing is there', (end: number, start: number) => [start, end]],
  ])('is damage where it is as long as a request %s', async (_, zeros) => {
    const [start = 0, end = 0] = await write([0, 1]);
    const [from = 0, to = 0] = zeros(end, start);
    await overwrite(from, Buffer.alloc(to - from));
    const was = await readFile(join(directory, FIRST));
    const spool = await open();
    expect(await deliver(spool)).toEqual([0]);
    await expectKept(spool, end - start, was);
  });

  it.each([
    ['all of it is there', 1],
    ['another one begins in it', 2],
  ])('is damage where a request seems to go beyond the end, but %s', async (_, damaged) => {
    const ends = await write([0, 1, 2].slice(0, damaged + 1));
    const [start = 0] = ends;
    for (const at of ends.slice(0, damaged)) await overwrite(at + 4 + SALT_BYTES + 5, 'X');
    const was = await readFile(join(directory, FIRST));
    const spool = await open();
    expect(await deliver(spool)).toEqual([0]);
    await expectKept(spool, was.length - start, was);
  });

  it('is passed over where a crash can have cut it, at any byte, and is no damage later', async () => {
    const [start = 0, end = 0] = await write([0, 1]);
    const whole = await readFile(join(directory, FIRST));
    for (let at = start + 1; at < end; at += at < start + PREFIX_BYTES + 2 ? 1 : 9) {
      await rm(join(directory, 'position.json'), { force: true });
      for (const name of await names('.spool')) await rm(join(directory, name));
      await writeFile(join(directory, FIRST), whole.subarray(0, at));
      logger = createSilentLogger();
      await write([2]);
      expect(await names('.spool')).toHaveLength(2);
      const spool = await open();
      expect(await deliver(spool)).toEqual([0, 2]);
      expect([spool.damagedBytes, await names('.damaged')]).toEqual([0, []]);
      expect(said()).toEqual([expect.stringMatching(/^warn .* a crash cut it/)]);
      await spool.close();
    }
  });

  it('stays where it cannot be removed', async () => {
    const [, end = 0] = await write([0, 1]);
    await truncate(join(directory, FIRST), end - 1);
    const handle = await openFile(directory, 'r');
    const shorten = jest
      .spyOn(Object.getPrototypeOf(handle) as FileHandle, 'truncate')
      .mockRejectedValueOnce(new Error('EIO'));
    await handle.close();
    const spool = await open();
    shorten.mockRestore();
    expect(said()).toEqual([
      expect.stringContaining('a crash cut it'),
      expect.stringContaining('cannot be removed'),
    ]);
    expect([await size(), await deliver(spool), spool.damagedBytes]).toEqual([end - 1, [0], 0]);
  });

  it('stays in a file that is damaged before it, as its copy is the file itself', async () => {
    const [start = 0, , end = 0] = await write([0, 1, 2]);
    await truncate(join(directory, FIRST), end - 1);
    await overwrite(start - 1, 'X');
    const spool = await open();
    expect(said()).toEqual([
      expect.stringMatching(/^error .* damaged/),
      expect.stringMatching(/^warn .* a crash cut it/),
    ]);
    expect([await deliver(spool), spool.damagedBytes]).toEqual([[1], start]);
    expect((await stat(join(directory, `${FIRST}.damaged`))).size).toBe(end - 1);
  });
});
