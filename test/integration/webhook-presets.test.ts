import { describe, expect, it } from '@jest/globals';
import { createAddressGuard } from '../../src/alerts/address-guard.js';
import { createGuardedRequest } from '../../src/alerts/guarded-request.js';
import type { HookAddress } from '../../src/alerts/preset-request.js';
import { webhookEvent } from '../../src/alerts/webhook-events.js';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../src/alerts/webhook-presets.js';
import { createWebhookSink, type HookCredentials } from '../../src/alerts/webhook-sink.js';
import { episode } from '../support/entities.js';
import {
  airflow2Api,
  airflow3Api,
  argoEventsApi,
  githubDispatchApi,
  githubWorkflowApi,
  gitlabApi,
  jenkinsApi,
  kubeflowApi,
  mlflowApi,
  prefectApi,
  startTarget,
  type TargetApi,
} from '../support/target-fakes.js';

const TOKEN = 'canary-token';
const PASSWORD = 'canary & password';
const bearer: HookCredentials = { token: TOKEN };
const basic: HookCredentials = { username: 'bot', password: PASSWORD };

const opened = episode('4f0c', { model: 'flight delay/eu', modelVersion: '1', category: 'drift' });
const event = webhookEvent(opened, 'retraining.requested', Date.UTC(2026, 0, 1), {
  referenceHash: 'a'.repeat(64),
  publicUrl: 'http://plumbline:8080',
  retraining: 'requested',
});

interface Case {
  readonly preset: PresetName;
  readonly api: () => TargetApi;
  /** Joined to the target's address. */
  readonly path?: string;
  readonly params?: HookAddress['params'];
  readonly inputs?: HookAddress['inputs'];
  readonly credentials: HookCredentials;
  /** Statuses of the first delivery and of the same event once more. */
  readonly statuses: readonly [number, number];
}

const CASES: readonly Case[] = [
  {
    preset: 'airflow3',
    api: () => airflow3Api('retrain churn', 'bot', PASSWORD),
    params: { dag: 'retrain churn' },
    inputs: { episode: '{episode}', epochs: 3 },
    credentials: basic,
    statuses: [200, 409],
  },
  {
    preset: 'airflow3',
    api: () => airflow3Api('churn', 'bot', PASSWORD),
    path: '/api/v2/dags/churn/dagRuns',
    credentials: { token: 'jwt.of.an-hour' },
    statuses: [200, 409],
  },
  {
    preset: 'airflow2',
    api: () => airflow2Api('churn', 'bot', PASSWORD),
    params: { dag: 'churn' },
    credentials: basic,
    statuses: [200, 409],
  },
  {
    preset: 'githubDispatch',
    api: () => githubDispatchApi('/repos/acme/models/dispatches', TOKEN),
    params: { owner: 'acme', repo: 'models' },
    inputs: { gpu: true },
    credentials: bearer,
    statuses: [204, 204],
  },
  {
    preset: 'githubWorkflow',
    api: () =>
      githubWorkflowApi('/repos/acme/models/actions/workflows/retrain.yml/dispatches', TOKEN, [
        'episode',
        'event',
      ]),
    params: { owner: 'acme', repo: 'models', workflow: 'retrain.yml' },
    inputs: { episode: '{episode}', event: '{event_json}' },
    credentials: bearer,
    statuses: [204, 204],
  },
  {
    preset: 'kubeflow',
    api: () => kubeflowApi(['episode', 'event'], TOKEN),
    params: { pipelineId: 'p-1', experimentId: 'x-1' },
    inputs: { episode: '{episode}', event: '{event}' },
    credentials: bearer,
    statuses: [200, 200],
  },
  {
    preset: 'argoEvents',
    api: () => argoEventsApi('/drift', TOKEN),
    path: '/drift',
    credentials: bearer,
    statuses: [200, 200],
  },
  {
    preset: 'gitlab',
    api: () => gitlabApi('acme/models', 'main', TOKEN),
    params: { project: 'acme/models' },
    inputs: { EPISODE: '{episode}' },
    credentials: bearer,
    statuses: [201, 201],
  },
  {
    preset: 'jenkins',
    api: () => jenkinsApi('/job/team/job/retrain/buildWithParameters', 'bot', PASSWORD),
    path: '/job/team/job/retrain/buildWithParameters',
    credentials: basic,
    statuses: [201, 201],
  },
  {
    preset: 'prefect',
    api: () => prefectApi('d-1', ['episode']),
    path: '/api',
    params: { deployment: 'd-1' },
    inputs: { episode: '{episode}' },
    credentials: {},
    statuses: [201, 200],
  },
  {
    preset: 'mlflowTag',
    api: () => mlflowApi('flight delay/eu', '1'),
    credentials: {},
    statuses: [200, 200],
  },
];

const send = createGuardedRequest(createAddressGuard({ allow: ['127.0.0.1'] }));

async function withTarget(each: Case, credentials: HookCredentials = each.credentials) {
  const target = await startTarget(each.api());
  const sink = createWebhookSink({
    preset: each.preset,
    address: {
      url: `${target.url}${each.path ?? ''}`,
      params: each.params ?? {},
      inputs: each.inputs ?? {},
    },
    credentials,
    clock: { now: () => Date.UTC(2026, 0, 1), observe: () => undefined },
    send,
    timeoutMs: 60_000,
  });
  return { target, sink };
}

describe('presets against strict fakes', () => {
  it('cover every preset', () => {
    expect(new Set(CASES.map(({ preset }) => preset))).toEqual(
      new Set(PRESET_NAMES.filter((name) => name !== 'webhook')),
    );
  });

  it.each(CASES)('$preset is taken, and once more under the same id', async (each) => {
    const { target, sink } = await withTarget(each);
    try {
      const [first, second] = each.statuses;
      expect(await sink.send(event)).toEqual({ ok: true, status: first });
      expect(await sink.send(event)).toEqual({ ok: true, status: second });
      const runs = target.answered.filter(({ path }) => path !== '/auth/token');
      expect(runs.map(({ status }) => status)).toEqual([first, second]);
      for (const { body, headers } of runs) {
        expect(headers['idempotency-key']).toBe(event.id);
        expect(decodeURIComponent(body)).toContain(each.preset === 'mlflowTag' ? 'open' : '4f0c');
      }
    } finally {
      await target.close();
    }
  });

  it.each(CASES.filter(({ credentials }) => Object.keys(credentials).length > 0))(
    '$preset with a wrong secret is tried again, and the secret is nowhere in the record',
    async (each) => {
      const wrong =
        each.credentials.token === undefined
          ? { ...basic, password: 'wrong & canary' }
          : { token: 'wrong-canary' };
      const { target, sink } = await withTarget(each, wrong);
      try {
        const delivery = await sink.send(event);
        expect(delivery).toMatchObject({ ok: false, retryable: true });
        expect([401, 403, 404]).toContain(delivery.status);
        expect(JSON.stringify(delivery)).not.toMatch(/canary/);
        const preview = sink.preview(event);
        expect(JSON.stringify(preview)).not.toMatch(/canary/);
        expect(new URL(preview.url).pathname).toBe(
          target.answered.at(-1)?.path.replace('/auth/token', new URL(preview.url).pathname),
        );
      } finally {
        await target.close();
      }
    },
  );

  it.each([
    ['kubeflow', 400],
    ['prefect', 409],
    ['githubWorkflow', 422],
  ] as const)('%s does not take a parameter that was not declared', async (preset, status) => {
    const each = CASES.find((candidate) => candidate.preset === preset);
    if (each === undefined) throw new Error(preset);
    const { target, sink } = await withTarget({ ...each, inputs: { surprise: 'x' } });
    try {
      expect(await sink.send(event)).toMatchObject({ ok: false, retryable: true, status });
    } finally {
      await target.close();
    }
  });

  it('sends nothing when it runs dry', async () => {
    const target = await startTarget(airflow2Api('churn', 'bot', PASSWORD));
    const sink = createWebhookSink({
      preset: 'airflow2',
      address: { url: target.url, params: { dag: 'churn' }, inputs: {} },
      credentials: basic,
      dryRun: true,
      clock: { now: () => 0, observe: () => undefined },
      send,
    });
    expect(await sink.send(event)).toMatchObject({
      ok: true,
      status: 0,
      dryRun: /^dry run: POST \/api\/v1\/dags/,
    });
    expect(target.answered).toEqual([]);
    await target.close();
  });

  it.each([
    ['airflow3', {}, {}, /dag is missing/],
    ['airflow3', { dag: 'x', dga: 'y' }, {}, /dga is not known/],
    ['airflow3', { dag: 'x' }, {}, /needs username with passwordEnv or passwordFile, or tokenEnv/],
    ['githubDispatch', { owner: 'a', repo: 'b' }, basic, /needs tokenEnv or tokenFile/],
  ] as const)('%s with %j is refused at the start', (preset, params, credentials, message) => {
    const create = () =>
      createWebhookSink({
        preset,
        address: { url: 'https://target.example.com', params, inputs: {} },
        credentials,
        clock: { now: () => 0, observe: () => undefined },
        send,
      });
    expect(create).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    expect(create).toThrow(message);
  });

  it('are data: a status list, a template and no code', () => {
    expect(JSON.parse(JSON.stringify(PRESETS))).toEqual(PRESETS);
  });
});
