import { describe, expect, it } from '@jest/globals';
import { createPresetRequests, type HookAddress } from '../../../src/alerts/preset-request.js';
import { webhookEvent } from '../../../src/alerts/webhook-events.js';
import { presetOf } from '../../../src/alerts/webhook-presets.js';
import { episode } from '../../support/entities.js';

const event = webhookEvent(
  episode('e1', { model: '{token} & more', modelVersion: '3' }),
  'retraining.requested',
  0,
  { referenceHash: null, publicUrl: null, retraining: 'requested' },
);
const address = (url: string, rest: Partial<HookAddress> = {}): HookAddress => ({
  url,
  params: {},
  inputs: {},
  ...rest,
});
const airflow = (given: HookAddress) => createPresetRequests('airflow3', presetOf('airflow3'), given);

describe('requests of a preset', () => {
  it.each([
    [
      'https://airflow',
      { dag: 'a/b c' },
      'https://airflow/api/v2/dags/a%2Fb%20c/dagRuns',
      'https://airflow/auth/token',
    ],
    [
      'https://x/airflow/',
      { dag: 'd' },
      'https://x/airflow/api/v2/dags/d/dagRuns',
      'https://x/airflow/auth/token',
    ],
    [
      'https://x/af/api/v2/dags/d/dagRuns',
      {},
      'https://x/af/api/v2/dags/d/dagRuns',
      'https://x/af/auth/token',
    ],
  ])('joins %s and %j', (url, params, requestUrl, loginUrl) => {
    const requests = airflow(address(url, { params }));
    expect(requests.requestFor(event, '').url.href).toBe(requestUrl);
    expect(requests.loginUrl?.href).toBe(loginUrl);
    expect(requests.origin).toBe(new URL(url).origin);
  });

  it('fills inputs from the event, as text or as an object, whatever they are called', () => {
    const inputs = JSON.parse(
      '{"__proto__":"{episode}","n":3,"whole":"{event}","text":"{event_json}","kept":"{nothing}"}',
    ) as HookAddress['inputs'];
    const { body } = airflow(address('https://x', { params: { dag: 'd' }, inputs })).requestFor(
      event,
      'canary',
    );
    const { conf } = JSON.parse(body) as { conf: Record<string, unknown> };
    expect(Object.entries(conf)).toEqual([
      ['plumbline', JSON.parse(event.body)],
      ['__proto__', 'e1'],
      ['n', 3],
      ['whole', JSON.parse(event.body)],
      ['text', event.body],
      ['kept', '{nothing}'],
    ]);
  });

  it('does not read placeholders in what the event says', () => {
    const { body } = airflow(address('https://x', { params: { dag: 'd' } })).requestFor(event, 'canary');
    expect(body).not.toContain('canary');
    expect((JSON.parse(body) as { note: string }).note).toContain('of {token} & more 3');
  });

  it('writes forms with brackets, and the token where the preset wants it', () => {
    const requests = createPresetRequests(
      'gitlab',
      presetOf('gitlab'),
      address('https://gitlab', { params: { project: '7', ref: 'dev' }, inputs: { 'a&b': 'c=d' } }),
    );
    const { body } = requests.requestFor(event, 'a&token');
    expect([...new URLSearchParams(body)]).toEqual([
      ['token', 'a&token'],
      ['ref', 'dev'],
      ['variables[PLUMBLINE_EVENT]', event.body],
      ['variables[PLUMBLINE_EVENT_ID]', event.id],
      ['variables[a&b]', 'c=d'],
    ]);
  });

  it('leaves out what is optional and not given', () => {
    const requests = createPresetRequests(
      'kubeflow',
      presetOf('kubeflow'),
      address('https://kf', { params: { pipelineId: 'p' } }),
    );
    const body = JSON.parse(requests.requestFor(event, '').body) as Record<string, unknown>;
    expect(body.pipeline_version_reference).toEqual({ pipeline_id: 'p' });
    expect(Object.keys(body)).not.toContain('experiment_id');
  });

  it.each(['ftp://x', 'no url', 'https://user:canary@x'])('refuses %s without repeating secrets', (url) => {
    expect(() => airflow(address(url))).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    expect(() => airflow(address(url))).not.toThrow(/canary/);
  });
});
