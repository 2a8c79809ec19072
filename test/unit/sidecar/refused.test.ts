import { appendFile, type FileHandle, mkdir, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createSidecarMetrics } from '../../../src/sidecar/metrics.js';
import { createRefusedRequests } from '../../../src/sidecar/refused.js';
import { createSilentLogger } from '../../support/silent-logger.js';

const request = (body: string) => ({ path: '/v1/ingest', headers: {}, body: Buffer.from(body) });

describe('the file of refused requests', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-refused-'));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await rm(directory, { recursive: true, force: true });
  });
  const path = () => join(directory, 'refused.ndjson');
  const lines = async () => (await readFile(path(), 'utf8')).split('\n').slice(0, -1);
  const bodies = async () =>
    (await lines()).map((line) => Buffer.from(JSON.parse(line).body, 'base64').toString());

  it('takes back half a line that the disk had no room for', async () => {
    const refused = createRefusedRequests(directory, createSilentLogger());
    await refused.keep(request('one'), 'answered 400');
    const handle = await open(path(), 'r');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    jest.spyOn(prototype, 'appendFile').mockImplementationOnce(async () => {
      await appendFile(path(), '{"at":"20');
      throw new Error('ENOSPC: no space left on device');
    });
    await expect(refused.keep(request('two'), 'answered 400')).rejects.toThrow('ENOSPC');
    await refused.keep(request('two'), 'answered 400');
    expect(await bodies()).toEqual(['one', 'two']);
  });

  it('begins a line of its own behind one that a crash cut', async () => {
    await appendFile(path(), '{"at":"20');
    await createRefusedRequests(directory, createSilentLogger()).keep(request('one'), 'answered 400');
    const [cut, whole = ''] = await lines();
    expect(cut).toBe('{"at":"20');
    expect(JSON.parse(whole)).toMatchObject({ reason: 'answered 400' });
  });

  it('says when it cannot be looked at, and shows no number meanwhile', async () => {
    const refused = createRefusedRequests(directory, createSilentLogger());
    const { registry } = createSidecarMetrics(() => null, refused);
    const shown = async () =>
      (await registry.getSingleMetric('plumbline_sidecar_refused_requests')?.get())?.values[0]?.value;
    await refused.keep(request('one'), 'answered 400');
    expect(await shown()).toBe(1);
    await rename(path(), `${path()}.taken`);
    await mkdir(path());
    await expect(refused.look()).rejects.toMatchObject({ code: 'file_unreadable' });
    expect(await shown()).toBeNaN();
    await rm(path(), { recursive: true });
    expect(await shown()).toBe(0);
  });

  it('keeps long lines apart that come together', async () => {
    const refused = createRefusedRequests(directory, createSilentLogger());
    const long = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(3_000_000));
    await Promise.all(long.map((body) => refused.keep(request(body), 'answered 400')));
    expect(await bodies()).toEqual(long);
  });
});
