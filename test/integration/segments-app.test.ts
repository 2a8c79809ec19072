import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { dailyConfig } from '../support/daily-config.js';
import { FLIGHTS_MODEL, FLIGHTS_REFERENCE, firstFlights } from '../support/flight-events.js';

/** The first two days of March, judged by carrier (a feature) and by origin (a tag). */
describe('flights by segment, through the service', () => {
  let directory = '';
  let app: App;
  let client: ServiceClient;
  let url = '';
  const read = async (segment: string) =>
    (
      (await client.get(
        `/v1/models/${FLIGHTS_MODEL}/verdicts?version=1&limit=10000${segment === '' ? '' : `&segment=${encodeURIComponent(segment)}`}`,
      )) as { verdicts: Verdict[] }
    ).verdicts;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-segments-app-'));
    app = await createApp(
      dailyConfig(directory, {
        segments: { by: ['carrier', 'tags.origin'], top: 2 },
      }),
    );
    ({ url } = await app.start());
    client = createServiceClient({ url });
    await client.putFile(
      `/v1/models/${FLIGHTS_MODEL}/versions/1/reference`,
      FLIGHTS_REFERENCE,
      'application/vnd.apache.parquet',
    );
    await client.postLines('/v1/ingest', firstFlights(2_900).predictions);
    await app.settle();
  });
  afterAll(async () => {
    await app?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('has verdicts of the two largest carriers, compared with their own flights', async () => {
    const segments = await read('every');
    const carriers = new Set(
      segments.flatMap(({ segment }) => (segment?.column === 'carrier' ? [segment.value] : [])),
    );
    expect(carriers.size).toBe(2);
    const [first = ''] = carriers;
    const own = await read(`carrier=${first}`);
    expect(new Set(own.map(({ segment }) => segment?.value))).toEqual(new Set([first]));
    const distance = own.filter(({ feature, detector }) => feature === 'distance' && detector === 'ks');
    expect(distance.length).toBeGreaterThan(0);
    const whole = (await read('')).filter(
      ({ feature, detector }) => feature === 'distance' && detector === 'ks',
    );
    for (const [index, verdict] of distance.entries()) {
      expect(verdict.null).toBe('temporal');
      expect(verdict.pValue).not.toBeNull();
      expect(verdict.currentRows).toBeGreaterThan(0);
      expect(verdict.currentRows).toBeLessThan(whole[index]?.currentRows ?? 0);
      expect(verdict.referenceRows).toBeLessThan(whole[index]?.referenceRows ?? 0);
      expect(verdict.parameters.familySize).toBe(whole[index]?.parameters.familySize);
    }
  });

  it('says that a reference file knows no tags', async () => {
    const origins = (await read('every')).filter(({ segment }) => segment?.column === 'tags.origin');
    expect(origins.length).toBeGreaterThan(0);
    expect(new Set(origins.map(({ reason }) => reason))).toEqual(new Set(['no_reference']));
  });

  it('leaves whole windows to those who ask for nothing else, and shows segments on the page and in one metric', async () => {
    expect((await read('')).every(({ segment }) => segment === undefined)).toBe(true);
    const page = await (await fetch(`${url}/models/${FLIGHTS_MODEL}/versions/1`)).text();
    expect(page).toContain('tags.origin = ');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/plumbline_drifted_segments\{model="flight-delay",model_version="1"\} \d+/);
    expect(metrics).not.toContain('tags.origin');
  });
});
