import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { createPageRoutes } from '../../../src/http/page-routes.js';
import { createExplainer } from '../../../src/jobs/explain-window.js';
import { createFakeViewStore, createLookFixture } from '../../fakes/look-fixture.js';

let server: Server;
let base: string;
let root: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'plumbline-pages-'));
  const reportsDirectory = join(root, 'reports');
  mkdirSync(join(reportsDirectory, 'folder.html'), { recursive: true });
  writeFileSync(join(root, 'secret.html'), 'secret');
  writeFileSync(join(reportsDirectory, 'a_1.html'), '<p>report a');
  writeFileSync(join(reportsDirectory, '.hidden.html'), 'hidden');
  writeFileSync(join(reportsDirectory, 'a_1.html.99.tmp'), 'half');
  symlinkSync(join(root, 'secret.html'), join(reportsDirectory, 'link.html'));
  const app = express();
  const store = createFakeViewStore(createLookFixture(3, 20));
  const explain = createExplainer({ store: { ...store, findReference: async () => null } });
  app.use(createPageRoutes({ store, clock: { now: () => 1_363_000_000_000 }, reportsDirectory, explain }));
  server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(root, { recursive: true, force: true });
});

describe('pages', () => {
  test.each([
    ['/', 200],
    ['/models/flight-delay/versions/1', 200],
    ['/models/flight-delay/versions/1?range=2013-03-01/2013-03-03', 200],
    ['/models/flight-delay/versions/1/features/temp?window=2013-03-02/2013-03-03', 200],
    ['/models/flight-delay/versions/1/features/temp?window=1970-01-01/1970-01-02', 200],
    ['/models/flight-delay/versions/9', 404],
    ['/models/nobody', 404],
    ['/models/flight-delay/versions/1/features/__proto__', 404],
    ['/models/flight-delay/versions/1?range=0001-01-01/9999-01-01', 400],
    ['/models/flight-delay/versions/1?range=a&range=b', 400],
    ['/models/flight-delay/versions/1/features/temp?window[x]=1', 200],
    ['/models/flight-delay/versions/1/features/temp?window=', 400],
    ['/reports', 200],
  ])('%s answers %i with a page that loads nothing', async (path, status) => {
    const response = await fetch(base + path);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const text = await response.text();
    expect(text).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    expect(text).not.toMatch(/<script|NaN|undefined/);
  });

  test("a model's address leads to its newest version", async () => {
    const response = await fetch(`${base}/models/flight-delay`, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([
      302,
      '/models/flight-delay/versions/1',
    ]);
  });

  test('what was asked for is quoted as text', async () => {
    const response = await fetch(`${base}/models/${encodeURIComponent('<img src=x>')}/versions/1`);
    expect(await response.text()).toContain('Model &lt;img src=x&gt; has no');
  });
});

describe('reports', () => {
  test('are listed without drafts, hidden files, folders and links out', async () => {
    const page = await (await fetch(`${base}/reports`)).text();
    const text = page.slice(page.indexOf('<main>'));
    expect(text).toContain('href="/reports/a_1.html"');
    expect(text).not.toMatch(/hidden|tmp|folder|link\.html/);
  });

  test('are served as they are', async () => {
    const response = await fetch(`${base}/reports/a_1.html`);
    expect([response.status, await response.text()]).toEqual([200, '<p>report a']);
  });

  test.each([
    '..%2fsecret.html',
    '%2e%2e%2fsecret.html',
    '.hidden.html',
    'a_1.html.99.tmp',
    'folder.html',
    'link.html',
    'none.html',
    '%00.html',
  ])('%s is not a report', async (file) => {
    const response = await fetch(`${base}/reports/${file}`);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain('secret</');
  });
});
