import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ConfigInput, parseConfig } from '../../../src/config.js';
import { createHooks } from '../../../src/wiring/webhooks.js';

const clock = { now: () => 0, observe: () => undefined };

describe('hooks of a configuration', () => {
  let directory: string;
  let file: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'plumbline-hooks-'));
    file = join(directory, 'secret');
    writeFileSync(file, `whsec_${Buffer.alloc(32, 1).toString('base64')}\n`);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const hooksOf = (model: NonNullable<ConfigInput['models']>[string], rest: ConfigInput = {}) =>
    createHooks(parseConfig({ ...rest, models: { churn: model } }), clock);

  it('are the retrain section and the others, with the defaults of their presets', () => {
    const { hooksFor, find } = hooksOf({
      retrain: { url: 'https://trainer.example.com', secretFile: file, cooldown: '6h' },
      hooks: [
        {
          name: 'airflow',
          preset: 'airflow3',
          url: 'https://airflow.example.com',
          params: { dag: 'd' },
          tokenFile: file,
        },
        {
          name: 'heal',
          url: 'https://router.example.com',
          secretFile: file,
          on: ['opened'],
          severity: 'critical',
          dryRun: true,
        },
      ],
    });
    expect(
      hooksFor('churn').map(({ settings, dryRun }) => [
        settings.name,
        settings.on,
        settings.severity,
        dryRun,
      ]),
    ).toEqual([
      ['retrain', ['opened', 'resolved', 'retraining'], 'warning', false],
      ['airflow', ['retraining'], 'warning', false],
      ['heal', ['opened'], 'critical', true],
    ]);
    expect(find('churn', 'retrain')?.settings).toMatchObject({ maxPerDay: 1, cooldownMs: 6 * 3_600_000 });
    expect(find('churn', 'nope')).toBeNull();
    expect(hooksFor('other')).toEqual([]);
  });

  it('run dry all together', () => {
    const { hooksFor } = hooksOf(
      { retrain: { url: 'https://trainer.example.com', secretFile: file } },
      { webhooks: { dryRun: true } },
    );
    expect(hooksFor('churn').map(({ dryRun }) => dryRun)).toEqual([true]);
  });

  it('that lead to this machine are refused at the start, unless that is allowed', () => {
    const model = { retrain: { url: 'http://127.0.0.1:9', secretFile: file } };
    expect(() => hooksOf(model)).toThrow(
      /^the hook retrain of churn: 127\.0\.0\.1 .*loopback.*webhooks\.allow$/,
    );
    expect(hooksOf(model, { webhooks: { allow: ['127.0.0.1'] } }).hooksFor('churn')).toHaveLength(1);
  });

  it.each<[string, NonNullable<ConfigInput['models']>[string], RegExp]>([
    ['no secret', { retrain: { url: 'https://x' } }, /retrain: give secretEnv or secretFile/],
    [
      'two secrets',
      { retrain: { url: 'https://x', secretEnv: 'A', secretFile: 'b' } },
      /secretEnv or secretFile/,
    ],
    [
      'a name alone',
      { retrain: { url: 'https://x', preset: 'jenkins', username: 'u' } },
      /username goes with/,
    ],
    [
      'a taken name',
      { hooks: [{ name: 'retrain', url: 'https://x', secretEnv: 'A' }] },
      /name of the retrain section/,
    ],
    [
      'one name twice',
      {
        hooks: [
          { name: 'a', url: 'https://x', secretEnv: 'A' },
          { name: 'a', url: 'https://y', secretEnv: 'A' },
        ],
      },
      /same name/,
    ],
  ])('with %s are no configuration', (_name, model, message) => {
    expect(() => parseConfig({ models: { churn: model } })).toThrow(message);
  });

  it('with credentials that the preset does not take are refused, naming the hook', () => {
    const hook = {
      name: 'gh',
      preset: 'githubDispatch',
      url: 'https://api.github.com',
      params: { owner: 'a', repo: 'b' },
    } as const;
    expect(() => hooksOf({ hooks: [hook] })).toThrow(
      /^the hook gh of churn: the preset githubDispatch needs tokenEnv/,
    );
  });
});
