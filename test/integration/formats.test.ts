import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { FORMAT_MODELS, registerFormatModels } from '../support/format-models.js';

interface Step {
  readonly path: string;
  readonly headers?: Record<string, string>;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
  /** Of formats that are no text. */
  readonly bodyBase64?: string;
  readonly answer?: Readonly<Record<string, number>>;
  readonly answerBase64?: string;
  /** Of rejected rows, in order. */
  readonly reasons?: readonly string[];
}

interface Fixture extends Partial<Step> {
  /** The specification that the bodies are written after. */
  readonly source: string;
  /** Where there are several requests. */
  readonly steps?: readonly Step[];
  /** Rows come after the next run of the jobs. */
  readonly settle?: boolean;
  readonly rows: readonly { readonly id: string }[];
  readonly labels?: readonly { readonly id: string }[];
}

const FIXTURES = new URL('../fixtures/formats/', import.meta.url);
const fixtures = readdirSync(FIXTURES)
  .filter((file) => file.endsWith('.json'))
  .map((file): [string, Fixture] => [
    file.replace('.json', ''),
    JSON.parse(readFileSync(new URL(file, FIXTURES), 'utf8')),
  ]);

describe('formats, through the endpoint into the engine', () => {
  let directory: string;
  let app: App;
  let url: string;
  let engine: StoreClient;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-formats-'));
    const config = { store: { dataDir: directory }, http: { port: 0 }, log: { level: 'silent' as const } };
    app = await createApp(parseConfig({ ...config, models: FORMAT_MODELS }));
    url = (await app.start()).url;
    await registerFormatModels(url);
    engine = await createStoreClient({ kind: 'embedded', dataDir: directory });
  });
  afterAll(async () => {
    await engine.close();
    await app.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function send(step: Step): Promise<void> {
    const { path, headers, body, bodyBase64, answer, answerBase64, reasons = [] } = step;
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body:
        bodyBase64 !== undefined
          ? Buffer.from(bodyBase64, 'base64')
          : typeof body === 'string'
            ? body
            : JSON.stringify(body),
    });
    if (answerBase64 !== undefined) {
      const bytes = Buffer.from(await response.arrayBuffer());
      expect([response.status, bytes.toString('base64')]).toEqual([200, answerBase64]);
      return;
    }
    const answered = (await response.json()) as { errors?: { code: string }[] };
    expect([response.status, answered]).toMatchObject([200, answer]);
    expect(answered.errors?.map(({ code }) => code) ?? []).toEqual(reasons);
  }

  it.each(fixtures)('takes %s', async (_name, fixture) => {
    const { rows, labels = [], steps = [fixture as Step], settle = false } = fixture;
    for (const step of steps) await send(step);
    if (settle) await app.settle();
    const stored = await engine.query<Record<string, unknown>>(
      `SELECT prediction_id AS id, row_index AS row, model, version, toString(ts) AS ts, num, cat,
              prediction_num, prediction_cat, proba
       FROM predictions WHERE prediction_id IN {ids:Array(String)} ORDER BY prediction_id, row_index`,
      { ids: [...new Set(rows.map(({ id }) => id))] },
    );
    expect(
      stored.map(({ prediction_num, prediction_cat, ...row }) => ({
        ...row,
        prediction: prediction_num ?? prediction_cat,
      })),
    ).toEqual(rows);
    const truth = await engine.query(
      `SELECT prediction_id AS id, row_index AS row, label_num AS label
       FROM labels WHERE prediction_id IN {ids:Array(String)} ORDER BY prediction_id, row_index`,
      { ids: rows.map(({ id }) => id) },
    );
    expect(truth).toEqual(labels);
  });
});
