import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseConfig, parsePolicy } from '../../../src/config.js';
import { policySection } from '../../../src/config-policy.js';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { StoredPolicy } from '../../../src/domain/stored-policy.js';
import { createKey } from '../../../src/http/access.js';
import { createPolicySettingRoutes } from '../../../src/http/policy-setting-routes.js';
import { createKnownPolicies, policySettings } from '../../../src/wiring/policy.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';
import { createSilentLogger } from '../../support/silent-logger.js';

const versionOf = (model: string): ModelVersion => ({
  model,
  modelVersion: '3',
  schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
  registeredAtMs: 1,
});
const admin = createKey(['admin'], ['*']);
const config = parseConfig({
  models: { churn: { policy: { close: 4 } }, fixed: { policy: { close: 5 }, policyFrom: 'file' } },
});
const stored: StoredPolicy[] = [];
const store = {
  listModels: async () => ['churn', 'fixed', 'plain'].map(versionOf),
  savePolicy: async (policy: StoredPolicy) => {
    stored.push(policy);
  },
  policyHistory: async (model: string) => stored.filter((policy) => policy.model === model).toReversed(),
  storedPolicies: async () =>
    [...new Map(stored.map((policy) => [policy.model, policy])).values()].filter(
      ({ policy }) => policy !== null,
    ),
};
const logger = createSilentLogger();
const policies = createKnownPolicies({ config, store, logger });
let service: HttpService;

beforeAll(async () => {
  const parts = { config, policies, store, logger, wallClock: { now: () => 42 } };
  const ports = policySettings(parts as unknown as Parameters<typeof policySettings>[0]);
  service = await startHttpService({
    keys: [admin.entry],
    api: (access) => createPolicySettingRoutes(ports, access),
  });
});
afterAll(() => service.stop());

async function call(method: string, model: string, body?: object) {
  const response = await fetch(`${service.url}/v1/models/${model}/policy`, {
    method,
    headers: { authorization: `Bearer ${admin.key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('the policy of the file is in force until one is set, and again once that is removed', async () => {
  expect((await call('GET', 'churn')).body).toEqual({
    model: 'churn',
    policy: policySection(parsePolicy({ close: 4 })),
    source: 'file',
    policyFrom: 'store',
    ofFile: policySection(parsePolicy({ close: 4 })),
    history: [],
  });
  const policy = { close: '3of5', maintenance: [{ time: '22:00-23:00' }] };
  const { body } = await call('PUT', 'churn', { policy, by: 'ada', note: 'calmer' });
  expect(body).toMatchObject({
    source: 'store',
    policy: { close: '3of5', open: '2of2', cooldown: '0s', maintenance: [{ time: '22:00-23:00' }] },
    ofFile: { close: 4 },
    history: [{ policy, by: 'ada', note: 'calmer', via: admin.entry.id, atMs: 42 }],
  });
  expect(policies.settings('churn').policy.close).toBe('3of5');
  expect(policies.settings('plain').policy.close).toBe(2);
  const removed = (await call('DELETE', 'churn')).body;
  expect(removed).toMatchObject({ source: 'file', policy: { close: 4 } });
  expect(removed.history).toMatchObject([{ policy: null, by: admin.entry.id }, { policy }]);
  expect(policies.settings('churn').policy.close).toBe(4);
  expect(await call('DELETE', 'churn')).toMatchObject({ status: 404, body: { code: 'not_found' } });
});

test('where the file has the last word none can be set, and one that is stored is not in force', async () => {
  expect(await call('PUT', 'fixed', { policy: {} })).toMatchObject({
    status: 403,
    body: { code: 'forbidden' },
  });
  stored.push({ model: 'fixed', policy: { close: 9 }, by: '', via: '', note: '', atMs: 1 });
  expect((await call('GET', 'fixed')).body).toMatchObject({ source: 'file', policy: { close: 5 } });
});

test('what cannot be read is refused, and an older one that cannot be read any more gives way to the file', async () => {
  for (const body of [{}, { policy: [] }, { policy: { close: 'x' } }, { policy: { nope: 1 } }, { close: 2 }])
    expect(await call('PUT', 'plain', body)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  const { body } = await call('PUT', 'plain', { policy: { open: '9of3' } });
  expect(body.detail).toBe('policy: open: N must not exceed M');
  expect(await call('PUT', 'absent', { policy: {} })).toMatchObject({ status: 404 });
  stored.push({ model: 'plain', policy: { gone: true }, by: '', via: '', note: '', atMs: 1 });
  expect((await call('GET', 'plain')).body).toMatchObject({ source: 'file', policy: { close: 2 } });
});
