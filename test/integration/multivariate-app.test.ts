import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createNormal } from '../../src/stats/normal-draws.js';
import { createRandom } from '../../src/stats/random.js';
import { dailyConfig } from '../support/daily-config.js';

const MODEL = 'planted';
const REFERENCE_DAYS = 30;
const CLEAN_DAYS = 6;
const TURNED_DAYS = 4;
const ROWS_PER_DAY = 400;
const FROM_MS = Date.UTC(2026, 0, 1);
const PRODUCTION_MS = FROM_MS + REFERENCE_DAYS * DAY_MS;
const TURN_MS = PRODUCTION_MS + CLEAN_DAYS * DAY_MS;

const random = createRandom(11);
const normal = createNormal(random);

/** Income and spending go together by `r`; what each is by itself never changes. */
function row(id: string, timestampMs: number, r: number) {
  const income = normal();
  const spending = r * income + Math.sqrt(1 - r * r) * normal();
  const visits = Math.floor(3 * random());
  const prediction = Number(random() < 0.3);
  return {
    id,
    at: new Date(timestampMs).toISOString(),
    features: {
      income,
      spending,
      age: 40 + 10 * normal(),
      visits,
      plan: random() < 0.3 ? 'pro' : 'free',
      note: random() < 0.2 ? null : normal(),
    },
    prediction,
    prediction_proba: prediction === 1 ? 0.5 + random() / 2 : random() / 2,
  };
}

const day = (startMs: number, r: number) =>
  Array.from({ length: ROWS_PER_DAY }, (_, i) =>
    row(`${startMs}-${i}`, startMs + Math.floor((i * DAY_MS) / ROWS_PER_DAY), r),
  );
const days = (fromMs: number, count: number, r: number) =>
  Array.from({ length: count }, (_, i) => day(fromMs + i * DAY_MS, r)).flat();

describe('two features that turn their correlation, through the service', () => {
  let directory = '';
  let app: App;
  let client: ServiceClient;
  let url = '';
  let verdicts: Verdict[] = [];
  const ofDays = (fromMs: number, toMs: number) =>
    verdicts.filter(({ window }) => window.startMs >= fromMs && window.endMs <= toMs);
  const isTogether = ({ detector }: Verdict) => detector === 'domainClassifier';

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-multivariate-'));
    app = await createApp(dailyConfig(directory));
    ({ url } = await app.start());
    client = createServiceClient({ url });
    const file = join(directory, 'reference.ndjson');
    const lines = days(FROM_MS, REFERENCE_DAYS, 0.6).map(({ at, features, prediction, prediction_proba }) =>
      JSON.stringify({ timestamp: at, ...features, prediction, prediction_proba }),
    );
    await writeFile(file, `${lines.join('\n')}\n`);
    await client.putFile(`/v1/models/${MODEL}/versions/1/reference`, file, 'application/x-ndjson');
    const events = [
      ...days(PRODUCTION_MS, CLEAN_DAYS, 0.6),
      ...days(TURN_MS, TURNED_DAYS, -0.6),
      ...day(TURN_MS + TURNED_DAYS * DAY_MS, -0.6).slice(0, 10),
    ].map(({ id, at, ...rest }) =>
      JSON.stringify({ prediction_id: id, model: MODEL, model_version: '1', timestamp: at, ...rest }),
    );
    await client.postLines('/v1/ingest', events);
    await app.settle();
    ({ verdicts } = (await client.get(`/v1/models/${MODEL}/verdicts?version=1&limit=10000`)) as {
      verdicts: Verdict[];
    });
  });
  afterAll(async () => {
    await app?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('compares every day with a sample of the reference, by what days of the reference are like', () => {
    const found = verdicts.filter(isTogether);
    expect(found).toHaveLength(CLEAN_DAYS + TURNED_DAYS);
    for (const verdict of found) {
      expect(verdict).toMatchObject({
        feature: '',
        category: 'drift',
        role: 'primary',
        null: 'temporal',
        referenceRows: 5_000,
        currentRows: ROWS_PER_DAY,
        parameters: { features: 6, pieces: 30 },
      });
      expect(verdict.parameters.familySize).toBe(
        verdicts.find((other) => other.window.endMs === verdict.window.endMs)?.parameters.familySize,
      );
    }
  });

  it('is silent while the features go together as they did', () => {
    const clean = ofDays(PRODUCTION_MS, TURN_MS).filter(isTogether);
    expect(clean.map(({ status }) => status)).toEqual(clean.map(() => 'stable'));
  });

  it('fires when they turn, where no test of a single column does, and names the two', () => {
    const turned = ofDays(TURN_MS, TURN_MS + TURNED_DAYS * DAY_MS);
    const others = turned.filter((verdict) => verdict.role === 'primary' && !isTogether(verdict));
    expect(others.length).toBeGreaterThan(TURNED_DAYS * 10);
    expect(others.filter(({ status }) => status === 'drifted')).toEqual([]);
    for (const verdict of turned.filter(isTogether)) {
      expect(verdict).toMatchObject({ status: 'drifted', material: true });
      expect(verdict.pairs?.[0]?.parts).toEqual([{ feature: 'income' }, { feature: 'spending' }]);
      expect(verdict.pairs?.[0]?.reference).toBeGreaterThan(0.5);
      expect(verdict.pairs?.[0]?.current).toBeLessThan(-0.5);
    }
  });
});
