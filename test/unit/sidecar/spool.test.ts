import {
  appendFile,
  cp,
  type FileHandle,
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
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { openSpool, type Spool } from '../../../src/sidecar/spool.js';
import { createSilentLogger } from '../../support/silent-logger.js';

const MOST = { records: 3, bytes: 1_000_000 };
const request = (id: number, bytes = 10) => ({
  path: '/v1/ingest?model=m',
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(`${id}`.padEnd(bytes, ' ')),
});
const idOf = ({ body }: { readonly body: Buffer }) => Number(body.toString());

describe('the spool', () => {
  let directory: string;
  const opened: Spool[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-spool-'));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((spool) => spool.close()));
    await rm(directory, { recursive: true, force: true });
  });

  const open = async (over: { maxBytes?: number; segmentBytes?: number } = {}) => {
    const spool = await openSpool({ directory, maxBytes: 1_000_000, logger: createSilentLogger(), ...over });
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

  it('gives back what was put in, whole and in order, and leaves no file behind', async () => {
    const spool = await open({ segmentBytes: 200 });
    const body = Buffer.from([0, 255, 10, 13, 1]);
    await spool.append({ path: '/v1/logs', headers: { 'ce-id': 'ä', 'content-encoding': 'gzip' }, body });
    await Promise.all(Array.from({ length: 20 }, (_, id) => spool.append(request(id))));
    expect(spool.records).toBe(21);
    expect(await spool.next({ records: 1, bytes: 1 })).toEqual([
      { path: '/v1/logs', headers: { 'ce-id': 'ä', 'content-encoding': 'gzip' }, body },
    ]);
    await spool.delivered();
    expect(await deliverAll(spool)).toEqual(Array.from({ length: 20 }, (_, id) => id));
    expect([spool.records, spool.bytes]).toEqual([0, 0]);
    await spool.close();
    expect(await segments()).toEqual([]);
  });

  it('removes files as they are delivered, and does not let delivered bytes count', async () => {
    const spool = await open({ segmentBytes: 300, maxBytes: 1_000 });
    for (let id = 0; id < 40; id += 1) {
      await spool.append(request(id, 100));
      expect(spool.bytes).toBeGreaterThan(100);
      expect(await deliverAll(spool)).toEqual([id]);
      expect([spool.bytes, await segments()]).toEqual([0, []]);
    }
  });

  it('delivers once what comes while it delivers and removes files', async () => {
    const spool = await open({ segmentBytes: 300 });
    const ids: number[] = [];
    let appended = 0;
    const append = async () => {
      while (appended < 500) {
        appended += 1;
        await spool.append(request(appended - 1, 40));
      }
    };
    const deliver = async () => {
      const { signal } = new AbortController();
      while (ids.length < 500) {
        await spool.arrival(signal);
        ids.push(...(await deliverAll(spool)));
      }
    };
    await Promise.all([append(), append(), append(), deliver()]);
    expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, id) => id));
    expect([spool.bytes, await segments()]).toEqual([0, []]);
  });

  it('delivers on when its position cannot be written, says so once, and writes it when it can', async () => {
    const logger = createSilentLogger();
    const spool = await openSpool({ directory, maxBytes: 1_000_000, logger });
    opened.push(spool);
    await mkdir(join(directory, 'position.json.new'));
    for (const id of [1, 2, 3]) {
      await spool.append(request(id));
      expect(await deliverAll(spool)).toEqual([id]);
    }
    expect(logger.lines.map(({ message }) => message)).toEqual([
      expect.stringContaining('position cannot be written'),
    ]);
    await rm(join(directory, 'position.json.new'), { recursive: true });
    await spool.append(request(4));
    expect(await deliverAll(spool)).toEqual([4]);
    expect(await readdir(directory)).toContain('position.json');
  });

  it('refuses what does not fit, keeps what is there, and takes more when there is room', async () => {
    const spool = await open({ maxBytes: 500 });
    let kept = 0;
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, (_, id) => spool.append(request(id, 50))),
    );
    for (const answer of answers) {
      if (answer.status === 'fulfilled') kept += 1;
      else expect(answer.reason).toMatchObject({ code: 'overloaded', retryable: true });
    }
    expect(kept).toBeGreaterThan(1);
    expect(kept).toBeLessThan(10);
    expect(await deliverAll(spool)).toEqual(Array.from({ length: kept }, (_, id) => id));
    await spool.append(request(99, 50));
    expect(await deliverAll(spool)).toEqual([99]);
  });

  it('takes requests again after its directory could not be synced, and after a file could not be cut', async () => {
    const spool = await open();
    const handle = await openFile(directory, 'r');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const tooMany = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    const sync = jest.spyOn(prototype, 'sync').mockRejectedValueOnce(tooMany);
    await expect(spool.append(request(1))).rejects.toMatchObject({ code: 'overloaded' });
    expect([spool.failure, await segments()]).toEqual([expect.stringContaining('EMFILE'), []]);
    await spool.append(request(2));
    const datasync = jest.spyOn(prototype, 'datasync').mockRejectedValueOnce(new Error('EIO'));
    const truncate = jest.spyOn(prototype, 'truncate').mockRejectedValueOnce(new Error('EIO'));
    await expect(spool.append(request(3))).rejects.toMatchObject({ code: 'overloaded' });
    await spool.append(request(4));
    for (const spy of [sync, datasync, truncate]) spy.mockRestore();
    expect(await segments()).toHaveLength(2);
    expect([spool.failure, await deliverAll(spool)]).toEqual([null, [2, 4]]);
  });

  it('answers, and takes requests again, when neither its files can be written nor closed', async () => {
    const spool = await open();
    const handle = await openFile(directory, 'r');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const failing = () => Promise.reject(new Error('EIO'));
    // The method belongs to each handle.
    const breakClose = (file: FileHandle) => {
      const { close } = file;
      file.close = () => close().then(failing);
    };
    const datasync = jest.spyOn(prototype, 'datasync').mockImplementation(function (this: FileHandle) {
      breakClose(this);
      return failing();
    });
    await expect(spool.append(request(1))).rejects.toMatchObject({ code: 'overloaded' });
    const truncate = jest.spyOn(prototype, 'truncate').mockImplementation(failing);
    await expect(spool.append(request(2))).rejects.toMatchObject({ code: 'overloaded' });
    for (const spy of [datasync, truncate]) spy.mockRestore();
    await spool.append(request(3));
    const read = jest.spyOn(prototype, 'read').mockImplementationOnce(function (this: FileHandle, ...args) {
      breakClose(this);
      return this.read(...(args as unknown as Parameters<FileHandle['read']>));
    } as FileHandle['read']);
    expect([spool.failure, await deliverAll(spool)]).toEqual([null, [3]]);
    read.mockRestore();
    await spool.append(request(4));
    expect([await deliverAll(spool), await segments()]).toEqual([[4], []]);
  });

  it('passes over a record that a crash cut, and any rubbish behind it', async () => {
    const spool = await open();
    for (const id of [1, 2, 3]) await spool.append(request(id));
    await spool.close();
    const [name = ''] = await segments();
    const path = join(directory, name);
    await truncate(path, (await stat(path)).size - 4);
    await appendFile(path, 'PLS1 rubbish that is longer than a prefix');
    const again = await open();
    await again.append(request(4));
    expect(await deliverAll(again)).toEqual([1, 2, 4]);
  });

  it('belongs to one process, and to the next one after a crash', async () => {
    await writeFile(join(directory, 'lock'), '1');
    await expect(open()).rejects.toMatchObject({ code: 'data_dir_in_use' });
    // No process has so great a number; ours is that of a container that was started again.
    for (const holder of ['4194999', String(process.pid), 'rubbish']) {
      await writeFile(join(directory, 'lock'), holder);
      await (await open()).close();
    }
  });

  it('delivers all again when its position was damaged', async () => {
    const spool = await open();
    for (const id of [1, 2]) await spool.append(request(id));
    await spool.next({ records: 1, bytes: 1 });
    await spool.delivered();
    await spool.close();
    await writeFile(join(directory, 'position.json'), '');
    expect(await deliverAll(await open())).toEqual([1, 2]);
  });

  it('leaves no listener behind when something arrives', async () => {
    const spool = await open();
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    Object.assign(signal, {
      addEventListener: (...args: Parameters<typeof add>) => {
        listeners += 1;
        add(...args);
      },
      removeEventListener: (...args: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...args);
      },
    });
    for (let id = 0; id < 5; id += 1) {
      const arrival = spool.arrival(signal);
      await spool.append(request(id));
      await arrival;
      await deliverAll(spool);
    }
    expect(listeners).toBe(0);
  });

  it('delivers everything that was kept, in order, over crashes at any moment', async () => {
    const start = (at: string, segmentBytes: number) =>
      openSpool({ directory: at, maxBytes: 1_000_000, segmentBytes, logger: createSilentLogger() });
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('append' as const) },
      { weight: 3, arbitrary: fc.constant('deliver' as const) },
      { weight: 1, arbitrary: fc.constant('read' as const) },
      { weight: 1, arbitrary: fc.constant('crash' as const) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 60, max: 400 }),
        async (steps, segmentBytes) => {
          await rm(directory, { recursive: true, force: true });
          let lives = 1;
          let spool = await start(join(directory, '1'), segmentBytes);
          let appended = 0;
          const delivered: number[] = [];
          for (const one of steps) {
            if (one === 'append') {
              await spool.append(request(appended, 5 + (appended % 40)));
              appended += 1;
            } else if (one === 'deliver') {
              const requests = await spool.next(MOST);
              delivered.push(...requests.map(idOf));
              await spool.delivered();
            } else if (one === 'read') await spool.next(MOST);
            else {
              // What a crash leaves is what is there before the close.
              await cp(join(directory, `${lives}`), join(directory, `${lives + 1}`), { recursive: true });
              await spool.close();
              lives += 1;
              spool = await start(join(directory, `${lives}`), segmentBytes);
            }
          }
          delivered.push(...(await deliverAll(spool)));
          expect(delivered).toEqual(Array.from({ length: appended }, (_, id) => id));
          expect(spool.records).toBe(0);
          await spool.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});
