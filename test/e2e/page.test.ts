import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { type Browser, chromium, type Page } from 'playwright-core';
import { DAY_MS } from '../../src/domain/window.js';
import { createKey } from '../../src/http/access.js';
import { createEpisodeRoutes } from '../../src/http/episode-routes.js';
import { createPageRoutes } from '../../src/http/page-routes.js';
import { buildReport } from '../../src/jobs/build-report.js';
import { createExplainer } from '../../src/jobs/explain-window.js';
import { featurePath, versionPath } from '../../src/views/parts.js';
import { AWKWARD_NAMES, awkward } from '../fakes/look-awkward.js';
import { createFakeViewStore, createLookFixture, type LookFixture } from '../fakes/look-fixture.js';
import { START_MS } from '../fakes/look-verdicts.js';
import { createMemoryDesk } from '../support/episode-desk.js';
import { startHttpService } from '../support/http-service.js';
import { outcomesOf } from '../support/outcomes.js';

const SHOTS = 'build/screenshots';
const CHROMIUM_FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
const clock = { now: () => START_MS + 90 * DAY_MS + 600_000 };
const period = { startMs: START_MS, endMs: START_MS + 90 * DAY_MS };

let browser: Browser;
let directory: string;
const servers: Server[] = [];

/** The fixture's store, and what explains its windows. */
function partsOf(fixture: LookFixture) {
  const store = createFakeViewStore(fixture);
  return { store, explain: createExplainer({ store: { ...store, findReference: async () => null } }) };
}

async function serve(fixture: LookFixture): Promise<string> {
  const app = express();
  app.use(createPageRoutes({ ...partsOf(fixture), clock, reportsDirectory: directory }));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Clicks a link, until the page behind it is there whole. */
async function follow(page: Page, link: string): Promise<void> {
  await Promise.all([page.waitForEvent('load'), page.click(link)]);
}

/** A page that records everything that a reader must never meet. */
async function open(
  width = 1280,
  scheme: 'light' | 'dark' = 'light',
): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
  const problems: string[] = [];
  page.on('console', (message) => problems.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(`page error: ${error.message}`));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.resourceType() !== 'document') problems.push(`request: ${request.url()}`);
  });
  return { page, problems };
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

/** How far the widest thing sticks out of the window, px. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  directory = mkdtempSync(join(tmpdir(), 'plumbline-page-'));
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM_FLAGS });
});

afterAll(async () => {
  await browser.close();
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

describe('the page in Chromium', () => {
  test.each([1280, 800])('overview, model and feature are whole at %i px', async (width) => {
    const fixture = createLookFixture();
    const base = await serve(fixture);
    const { page, problems } = await open(width);
    await page.goto(base);
    expect(await page.textContent('h1')).toBe('Models');
    expect(await page.locator('.badge.drifting').count()).toBe(1);
    expect(await overflow(page)).toBe(0);
    await shoot(page, `overview-${width}`);

    await follow(page, 'text=flight-delay');
    const cells = page.locator(
      'svg:has(> title:text("Drift by feature and time")) g[aria-label="cells"] rect',
    );
    expect(await cells.count()).toBeGreaterThan(17 * 88);
    expect(await page.locator('rect[fill^="url(#hatch)"]').count()).toBe(88);
    expect(await page.locator('svg.spark').count()).toBe(17);
    expect(await overflow(page)).toBe(0);
    await shoot(page, `model-${width}`);

    await page.goto(
      base +
        featurePath(fixture.version, 'temp', {
          startMs: START_MS + 60 * DAY_MS,
          endMs: START_MS + 61 * DAY_MS,
        }),
    );
    expect(await page.locator('.sides svg.plot').count()).toBe(2);
    expect(await page.locator('.sides svg.plot >> nth=1').locator('rect').count()).toBeGreaterThan(40);
    expect(await page.textContent('.lede')).toContain('temp drifted, and by enough to matter');
    expect(await overflow(page)).toBe(0);
    await shoot(page, `feature-${width}`);
    await page.goto(base + featurePath(fixture.version, 'carrier'));
    expect(await page.locator('.sides svg.plot').count()).toBe(2);
    await shoot(page, `feature-categorical-${width}`);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('follows a dark theme', async () => {
    const fixture = createLookFixture();
    const base = await serve(fixture);
    const { page, problems } = await open(1280, 'dark');
    await page.goto(base + versionPath(fixture.version));
    const colour = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(colour).toBe('rgb(16, 20, 25)');
    await shoot(page, 'model-dark');
    await page.goto(base + featurePath(fixture.version, 'temp'));
    await shoot(page, 'feature-dark');
    expect(problems).toEqual([]);
    await page.close();
  });

  test('what is not there is said in a page', async () => {
    const base = await serve(createLookFixture(3));
    const { page } = await open();
    for (const [path, status, words] of [
      ['/models/nobody/versions/1', 404, 'no registered version'],
      ['/models/flight-delay/versions/1/features/nothing', 404, 'has no column nothing'],
      ['/models/flight-delay/versions/1?range=yesterday', 400, 'whole hours'],
      ['/reports/..%2f..%2fpackage.json', 404, 'no report'],
      ['/reports/nothing.html', 404, 'no report'],
    ] as const) {
      const response = await page.goto(base + path);
      expect(response?.status()).toBe(status);
      expect(await page.textContent('main')).toContain(words);
    }
    await shoot(page, 'not-found');
    await page.close();
  });

  test('the report opens from disk without a server, and prints', async () => {
    const { path, summary } = await buildReport(
      { ...partsOf(createLookFixture()), clock },
      { model: 'flight-delay', modelVersion: '1', period, directory },
    );
    const { page, problems } = await open();
    await page.goto(pathToFileURL(path).href);
    expect(await page.textContent('.lede')).toBe(summary);
    expect(await page.locator('svg.plot').count()).toBeGreaterThan(10);
    expect(await page.locator('a[href], script, link[rel=stylesheet], img').count()).toBe(0);
    expect(await overflow(page)).toBe(0);
    await shoot(page, 'report');
    const pdf = await page.pdf({ path: join(SHOTS, 'report.pdf'), format: 'A4', printBackground: true });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(problems).toEqual([]);
    await page.close();

    const base = await serve(createLookFixture(3));
    const served = await open();
    await served.page.goto(`${base}/reports`);
    await follow(served.page, 'table a');
    expect(await served.page.textContent('.lede')).toBe(summary);
    expect(served.problems).toEqual([]);
    await served.page.close();
  });

  test('markup, controls and very long names stay text', async () => {
    const fixture = awkward(createLookFixture(20));
    const base = await serve(fixture);
    const { page, problems } = await open(800);
    await page.goto(base);
    await page.goto(base + versionPath(fixture.version));
    await shoot(page, 'awkward-model');
    const text = await page.evaluate('document.body.textContent');
    expect(text).toContain('<img src=x onerror=');
    expect(text).toContain('</script><script>');
    expect(await page.locator('main img, script').count()).toBe(0);
    expect(await overflow(page)).toBe(0);
    for (const name of AWKWARD_NAMES) {
      const response = await page.goto(base + featurePath(fixture.version, name));
      expect(response?.status()).toBe(200);
      expect(await page.locator('main img, script').count()).toBe(0);
      expect(await page.locator('footer').count()).toBe(1);
      expect(await overflow(page)).toBe(0);
    }
    const key = { model: fixture.version.model, modelVersion: fixture.version.modelVersion };
    const { path } = await buildReport(
      { ...partsOf(fixture), clock },
      { ...key, period: { startMs: START_MS, endMs: START_MS + 20 * DAY_MS }, directory },
    );
    const written = readFileSync(path, 'utf8');
    for (const hidden of ['\u0000', '\u202e']) expect(written).not.toContain(hidden);
    await page.goto(pathToFileURL(path).href);
    expect(await page.locator('main img, script').count()).toBe(0);
    expect(await page.locator('footer').count()).toBe(1);
    expect(await page.evaluate('globalThis.pwned')).toBeUndefined();
    await shoot(page, 'awkward-report');
    expect(problems).toEqual([]);
    await page.close();
  });

  test('forms are taken from the page, with a key, and not from a page elsewhere', async () => {
    const { desk, judge } = createMemoryDesk([
      { model: 'churn', modelVersion: '3', schema: { task: 'binary', features: [] }, registeredAtMs: 1 },
    ]);
    await judge(outcomesOf('dd'));
    const id = (await desk.list({ model: 'churn', limit: 1 }))[0]?.id ?? '';
    const fixture = createLookFixture();
    const { key, entry } = createKey(['admin'], ['*']);
    const ports = { store: partsOf(fixture).store, desk, retrainings: async () => [], publicUrl: '' };
    const service = await startHttpService({
      keys: [entry],
      api: (access) => createEpisodeRoutes(ports, access),
      pages: createPageRoutes({ ...partsOf(fixture), clock, episodes: desk, reportsDirectory: directory }),
    });
    const context = await browser.newContext({ httpCredentials: { username: 'any', password: key } });
    const page = await context.newPage();
    const path = `/models/churn/versions/3/episodes/${id}`;
    await page.goto(service.url + path);
    await page.fill('input[name=by] >> nth=0', 'ann');
    await page.click('button[value=acknowledge]');
    await page.waitForSelector('button[value=unacknowledge]');
    expect((await desk.read('churn', id)).acknowledgement?.by).toBe('ann');

    await page.route('http://elsewhere.example/', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${service.url}${path}"><button name="action" value="unacknowledge">win</button></form>`,
      }),
    );
    await page.goto('http://elsewhere.example/');
    const [answer] = await Promise.all([page.waitForResponse(service.url + path), page.click('button')]);
    expect(answer.status()).toBe(403);
    expect((await desk.read('churn', id)).acknowledgement?.by).toBe('ann');
    await context.close();
    await service.stop();
  });
});
