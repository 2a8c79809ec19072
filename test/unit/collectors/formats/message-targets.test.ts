import { describe, expect, jest, test } from '@jest/globals';
import { createTargetReader } from '../../../../src/collectors/formats/message-targets.js';
import { NO_MAPPING } from '../../../../src/domain/mapping.js';

const targetsIn = createTargetReader((model) =>
  model === 'mapped'
    ? { ...NO_MAPPING, version: '1', predictionId: 'key', tags: { customer: 'meta.cust' } }
    : null,
);
const of = (message: unknown, model = 'churn') => {
  const targets = targetsIn(typeof message === 'string' ? message : JSON.stringify(message))?.(model) ?? [];
  return {
    ids: targets.flatMap((one) => (one.kind === 'prediction' ? [one.predictionId] : [])),
    tags: targets.flatMap((one) => (one.kind === 'subject' ? [`${one.tag}=${one.value}`] : [])),
  };
};

describe('a message is of', () => {
  test('the id and the tags that its model has mapped', () => {
    const event = { model: 'mapped', key: 'r1', meta: { cust: 'c-17' }, tags: { region: 'eu' } };
    expect(of(event, 'mapped')).toEqual({ ids: ['r1'], tags: ['region=eu', 'customer=c-17'] });
    expect(of({ log: JSON.stringify(event) }, 'mapped').ids).toEqual(['r1']);
    expect(of(event)).toEqual({ ids: [], tags: ['region=eu'] });
  });

  test('those of the usual names, numbers as they are stored', () => {
    expect(of('{"inferenceId":17,"tags":{"customer":1e3,"vip":true,"none":null,"list":[1]}}')).toEqual({
      ids: ['17'],
      tags: ['customer=1000', 'vip=true'],
    });
  });

  test('those of a log record, alone or in its request', () => {
    const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
    const logRecord = {
      attributes: [text('ml.prediction.id', 'o1'), text('ml.tag.customer', 'c-17'), text('key', 'k')],
    };
    const found = { ids: ['o1'], tags: ['customer=c-17'] };
    expect(of({ logRecord })).toEqual(found);
    expect(of({ resourceLogs: [{ scopeLogs: [{ logRecords: [logRecord, 1] }] }] })).toEqual(found);
    expect(of({ logRecord }, 'mapped').ids).toEqual(['k']);
  });

  test('those of a CloudEvent: its own, those of the event that it carries, or of its labels', () => {
    const envelope = { specversion: '1.0', id: 'e1', source: 's' };
    const data = { tags: { customer: 'c-17' } };
    const carrying = {
      ...envelope,
      type: 'any',
      data_base64: Buffer.from(JSON.stringify(data)).toString('base64'),
    };
    expect(of(carrying)).toEqual({ ids: ['e1'], tags: ['customer=c-17'] });
    expect(of({ ...envelope, type: 'org.kubeflow.serving.inference.request', data: {} }).ids).toEqual(['e1']);
    const feedback = {
      ...envelope,
      type: 'io.seldon.serving.feedback',
      requestid: 'q1',
      data: { response: { meta: { puid: 'p1' } }, truth: { data: { ndarray: [1] } } },
    };
    expect(of(feedback).ids).toEqual(['p1']);
  });

  test('the id of a call', () => {
    expect(of({ databricks_request_id: 'd1', client_request_id: 'c1', request: {} }).ids).toEqual(['c1']);
  });

  test.each([
    '{"prediction_id":"r1", broken',
    'null',
    '["r1"]',
    '{"logRecord":{"body":{"kvlistValue":{"values":1}}}}',
    JSON.stringify({ specversion: '1.0', type: 'any', id: 'e1', data: 'text' }),
    `{"prediction_id":"r1","deep":${'['.repeat(300)}${']'.repeat(300)}}`,
  ])('nobody: %.60s', (message) => {
    expect(of(message)).toEqual({ ids: [], tags: [] });
  });

  test('each event of lists in lists, none of which is copied into the ones around it', () => {
    const flatMap = jest.spyOn(Array.prototype, 'flatMap');
    const targets = targetsIn(`${'['.repeat(200)}{"id":"r1"},{"id":"r2"}${']'.repeat(200)}`)?.('churn');
    const calls = flatMap.mock.calls.length;
    flatMap.mockRestore();
    expect(targets).toHaveLength(2);
    expect(calls).toBeLessThan(10);
  });

  test('more events than are looked at: that is said', () => {
    expect(targetsIn(`[${'{},'.repeat(30_000)}{"id":"r1"}]`)).toBeNull();
  });
});
