import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSidecar } from '../../src/sidecar/sidecar.js';
import { until } from '../support/kafka-collect.js';
import { createSilentLogger } from '../support/silent-logger.js';
import { createSmallDisk, type SmallDisk } from '../support/small-disk.js';

describe('a sidecar on a full disk', () => {
  let disk: SmallDisk;
  let service: Server;
  /** What the service answers. */
  let status = 200;
  let taken: Buffer[] = [];
  let logger: ReturnType<typeof createSilentLogger>;
  let sidecar: Awaited<ReturnType<typeof startSidecar>>;

  beforeEach(async () => {
    disk = await createSmallDisk(8);
    status = 503;
    taken = [];
    service = createServer(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      if (status === 200) taken.push(Buffer.concat(pieces));
      response.writeHead(status, { 'retry-after': '0' }).end('{}');
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    logger = createSilentLogger();
    await start();
  });
  afterEach(async () => {
    await sidecar.stop();
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
    await disk.remove();
  });

  async function start() {
    sidecar = await startSidecar({
      url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
      directory: `${disk.outside}/spool`,
      maxBytes: 1024 ** 3,
      host: '127.0.0.1',
      port: 0,
      drainMs: 0,
      logger,
    });
  }
  const send = async (body: Buffer) =>
    (await fetch(`${sidecar.url}/v1/ingest`, { method: 'POST', body: body as Uint8Array<ArrayBuffer> }))
      .status;
  const sendUntilFull = async () => {
    let kept = 0;
    while ((await send(Buffer.alloc(100_000, kept))) === 202) kept += 1;
    disk.fill();
    return kept;
  };
  const spooled = () => readdirSync(`${disk.outside}/spool`).filter((name) => name.endsWith('.spool'));

  it('delivers what it holds without a pause, frees the room at once, and takes more', async () => {
    const kept = await sendUntilFull();
    expect(kept).toBeGreaterThan(50);
    status = 200;
    const from = performance.now();
    await until('all is delivered', () => taken.length >= kept, 20_000);
    await until('the room is free', () => spooled().length === 0, 20_000);
    expect(performance.now() - from).toBeLessThan(20_000);
    expect(new Set(taken.map((body) => body[0])).size).toBe(kept);
    expect(await send(Buffer.alloc(100_000))).toBe(202);
    await until('it is delivered', () => taken.length === kept + 1);
    // Only a hint, and said once.
    const said = logger.lines.filter(({ message }) => message.includes('position'));
    expect(said.length).toBeLessThanOrEqual(1);
    expect(logger.lines.map(({ message }) => message)).not.toContain(
      'sidecar: the spool cannot be read or written, trying again',
    );
    await until('the position is written', () => existsSync(`${disk.outside}/spool/position.json`));
    expect(JSON.parse(readFileSync(`${disk.outside}/spool/position.json`, 'utf8')).segment).toBeGreaterThan(
      0,
    );
  });

  it('starts on it, and delivers what it holds', async () => {
    const kept = await sendUntilFull();
    await sidecar.stop();
    // Of a process that was killed.
    symlinkSync('4194999', `${disk.outside}/spool/lock`);
    status = 200;
    await start();
    await until('all is delivered', () => taken.length >= kept, 20_000);
    await until('the room is free', () => spooled().length === 0, 20_000);
  });

  it('is not ready while the disk is full, and ready again when there is room, without being sent anything', async () => {
    const ready = async () => {
      const response = await fetch(`${sidecar.url}/readyz`);
      return { code: response.status, ...((await response.json()) as { readonly reason?: string }) };
    };
    expect(await ready()).toMatchObject({ code: 200 });
    const other = `${disk.outside}/other`;
    writeFileSync(other, Buffer.alloc(2_000_000));
    await sendUntilFull();
    expect(await ready()).toMatchObject({
      code: 503,
      reason: expect.stringContaining('make room on its disk'),
    });
    // As long as the disk stays full.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await ready()).toMatchObject({ code: 503 });
    rmSync(other);
    await until('it is ready', async () => (await ready()).code === 200, 20_000);
    expect(readdirSync(`${disk.outside}/spool`)).not.toContain('probe');
  });
});
