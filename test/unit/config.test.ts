import { describe, expect, it } from '@jest/globals';
import { type ConfigInput, modelConfig, parseConfig, parsePolicy, privacyKey } from '../../src/config.js';
import { policySection } from '../../src/config-policy.js';

describe('the settings of a model', () => {
  const config = parseConfig({ models: { churn: { window: { length: '1d' } } } });

  it('are its own, else the defaults', () => {
    expect(modelConfig(config, 'churn').window.length).toBe(86_400_000);
    expect(modelConfig(config, 'other')).toBe(config.defaults);
  });

  it.each([
    [{ kind: 'trailing', days: 28 }, { length: '24h' }, null],
    [{ kind: 'trailing', days: 9 }, { length: '24h' }, 'reference.days: must hold at least 10 windows'],
    [{ kind: 'trailing', days: 1 }, { length: '1h' }, null],
    [{ kind: 'seasonal', days: 28 }, { length: '24h' }, null],
    [{ kind: 'seasonal', days: 20 }, { length: '1h' }, 'reference.days: must be at least 21'],
    [{ kind: 'seasonal', days: 63 }, { length: '7d', step: '1d' }, 'must hold at least 10 windows'],
    [{ kind: 'seasonal', days: 28 }, { length: '5h' }, 'window.length: must divide a week'],
    [{ kind: 'training', days: 1 }, { length: '30d', step: '1d' }, null],
    [{ kind: 'weekly' }, {}, 'reference.kind'],
    [{ kind: 'trailing', weeks: 4 }, {}, 'weeks'],
  ])('%j over windows of %j: %p', (reference, window, problem) => {
    const parse = () => parseConfig({ models: { churn: { window, reference } } } as ConfigInput);
    if (problem === null) expect(parse().models.churn?.reference.kind).toBe(reference.kind);
    else expect(parse).toThrow(problem);
  });

  it('are the defaults for a model that is called like a property of every object', () => {
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(modelConfig(config, name)).toBe(config.defaults);
  });
});

describe("a policy's false-alarm budget", () => {
  const policyOf = (policy: { falseEpisodesPer30Days?: number; level?: number }) =>
    parseConfig({ defaults: { policy } }).defaults.policy;

  it('is one episode in 30 days, unless the level itself is set', () => {
    expect(policyOf({}).falseEpisodesPer30Days).toBe(1);
    expect(policyOf({ falseEpisodesPer30Days: 4 })).toMatchObject({ falseEpisodesPer30Days: 4 });
    expect(policyOf({ level: 0.01 }).falseEpisodesPer30Days).toBeUndefined();
  });

  it.each([
    [{ falseEpisodesPer30Days: 1, level: 0.05 }, /not both/],
    [{ falseEpisodesPer30Days: 0 }, /falseEpisodesPer30Days/],
    [{ level: 0.5 }, /level/],
  ])('%j is refused', (policy, message) => {
    expect(() => policyOf(policy)).toThrow(message);
  });
});

describe("a policy's rules", () => {
  const night = { weekdays: ['sat'], time: '22:00-06:00', timeZone: 'Europe/Berlin' };

  it('have defaults that change nothing', () => {
    expect(parsePolicy({})).toEqual({
      open: '2of2',
      close: 2,
      cooldown: 0,
      minimumRows: 0,
      severity: { critical: 2 },
      routes: {},
      maintenance: [],
      falseEpisodesPer30Days: 1,
    });
  });

  it('are read whole', () => {
    const policy = {
      close: '3of5',
      severity: { critical: 3, performance: 1, drift: 'never' },
      routes: { dataQuality: 'data-eng' },
      maintenance: [night, { name: 'move', from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00+01:00' }],
    };
    expect(parsePolicy(policy)).toMatchObject({
      ...policy,
      maintenance: [
        { kind: 'weekly', weekdays: [6], startMinute: 1_320, endMinute: 360, timeZone: 'Europe/Berlin' },
        { kind: 'once', name: 'move', toMs: Date.parse('2026-01-01T23:00:00Z') },
      ],
    });
  });

  it.each([
    {},
    { level: 0.01, cooldown: '90m' },
    { cooldown: '1d', close: '3of5', severity: { critical: 'never', drift: 3 }, routes: { drift: 'a' } },
    { maintenance: [night, { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00+01:00' }] },
    { maintenance: [{ time: '00:00-24:00' }], minimumRows: 5, falseEpisodesPer30Days: 2 },
  ])('are written as they are read: %j', (policy) => {
    const read = parsePolicy(policy);
    expect(parsePolicy(policySection(read))).toEqual(read);
  });

  it.each([
    [{ close: '5of3' }, 'close: N must not exceed M'],
    [{ close: 0 }, 'close: '],
    [{ close: 'often' }, 'close: '],
    [{ minimumRows: -1 }, 'minimumRows: '],
    [{ severity: { critical: -1 } }, 'severity.critical: Too small'],
    [{ severity: { nope: 1 } }, 'severity: '],
    [{ routes: { drift: 'a,b' } }, 'routes.drift: a route has'],
    [{ maintenance: [{ ...night, timeZone: 'Berlin' }] }, 'maintenance.0.timeZone: must be the IANA name'],
    [{ maintenance: [{ ...night, time: '22-6' }] }, 'maintenance.0.time: time reads HH:MM-HH:MM'],
    [{ maintenance: [{ time: '01:00-24:30' }] }, 'maintenance.0: time: a day ends at 24:00'],
    [{ maintenance: [{ weekdays: ['sat'] }] }, 'maintenance.0: needs from and to, or time'],
    [{ maintenance: [{ from: '2026-01-01T00:00:00Z' }] }, 'maintenance.0: needs both from and to'],
    [{ maintenance: [{ from: '2026-01-01', to: '2026-01-02' }] }, 'must be a time with its zone'],
    [{ maintenance: [{ ...night, from: '2026-01-01T00:00:00Z' }] }, 'is either from and to, or time'],
    [
      { maintenance: [{ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }] },
      'from must be before to',
    ],
  ])('%j is refused', (policy, message) => {
    expect(() => parsePolicy(policy)).toThrow(message);
  });
});

describe('a privacy policy', () => {
  const churn = { privacy: { features: { zip: 'hash' } } } as const;

  it('needs a key', () => {
    expect(() => parseConfig({ models: { churn } })).toThrow(
      /models\.churn has a privacy policy, which needs a key: set privacy\.keyEnv or privacy\.keyFile/,
    );
    expect(() => parseConfig({ defaults: churn })).toThrow(/defaults has a privacy policy/);
    const config = parseConfig({ models: { churn }, privacy: { keyEnv: 'KEY' } });
    expect(privacyKey(config, { KEY: 'sixteen letters.' })).toEqual(Buffer.from('sixteen letters.'));
    expect(() => privacyKey(config, {})).toThrow(/KEY is empty/);
    expect(() => privacyKey(config, { KEY: 'short' })).toThrow(/has 5 characters, at least 16/);
    expect(privacyKey(parseConfig({}))).toBeNull();
  });

  it.each([
    [{ features: { zip: 'encrypt' } }, 'must be keep, hash, bucket, drop'],
    [{ features: { age: { width: 0 } } }, 'privacy.features.age'],
    [{ features: { prediction: 'hash' } }, "are the model's outputs, not features"],
    [{ tags: { region: 'bucket' } }, 'privacy.tags.region'],
  ])('that is %j is refused', (privacy, message) => {
    const input = { privacy: { keyEnv: 'KEY' }, models: { churn: { privacy } } } as ConfigInput;
    expect(() => parseConfig(input)).toThrow(message);
  });

  it('hashes no prediction ids that requests are read from', () => {
    const of = (requestId: string) =>
      parseConfig({
        privacy: { keyEnv: 'KEY' },
        models: { churn: { privacy: { predictionId: 'hash' }, performance: { requestId } } },
      });
    expect(() => of('{request}-v{version}')).toThrow(/finds no request in hashed prediction ids/);
    expect(() => of('{request}')).not.toThrow();
    expect(() => of('tags.request')).not.toThrow();
    const dropping = {
      privacy: { tags: { request: 'drop' } },
      performance: { requestId: 'tags.request' },
    } as const;
    expect(() => parseConfig({ privacy: { keyEnv: 'KEY' }, models: { churn: dropping } })).toThrow(
      /privacy\.tags\.request: is what performance\.requestId reads/,
    );
  });
});

describe('reports of a model', () => {
  const mail = { host: 'smtp.example.com', from: 'Plumbline <plumbline@example.com>' };
  const reportsOf = (reports: unknown, top: object = { mail }) =>
    parseConfig({ ...top, models: { churn: { reports } } }).models.churn?.reports;

  it('are none, one by itself, or several, and take their defaults from the schedule', () => {
    expect(parseConfig({}).defaults.reports).toEqual([]);
    expect(reportsOf({ schedule: 'weekly', timezone: 'Europe/Berlin', to: ['a@example.com'] })).toMatchObject(
      [
        {
          ...{
            name: 'weekly',
            period: 'week',
            formats: ['html'],
            keep: { count: 60 },
            to: ['a@example.com'],
          },
          times: { zone: 'Europe/Berlin', hours: [7], minute: 0, second: 0, daysOfWeek: [1] },
        },
      ],
    );
    expect(
      reportsOf([
        { schedule: 'daily', keep: { days: 30 } },
        { schedule: '30 6,14,22 * * mon-fri', name: 'shift', period: '8h' },
      ]),
    ).toMatchObject([
      { name: 'daily', period: 'day', keep: { days: 30 } },
      {
        name: 'shift',
        period: 28_800_000,
        times: { hours: [6, 14, 22], minute: 30, daysOfWeek: [1, 2, 3, 4, 5] },
      },
    ]);
  });

  it.each([
    [{ schedule: 'hourly' }, /schedule: "hourly" is no cron expression/],
    [{ schedule: '0 25 * * *', name: 'x', period: 'day' }, /schedule: "0 25 \* \* \*" is no cron expression/],
    [{ schedule: '* 7 * * *', name: 'x', period: 'day' }, /more than one report in an hour/],
    [{ schedule: '0 7 L * *', name: 'x', period: 'day' }, /L, W and # are not known/],
    [{ schedule: '0 7 * * *', name: 'x' }, /period: a cron expression needs one/],
    [{ schedule: '0 7 * * *', period: 'day' }, /name: a report by a cron expression needs one/],
    [{ schedule: 'daily', timezone: 'Mars/Olympus' }, /timezone: is no time zone/],
    [{ schedule: 'daily', period: '90m' }, /period/],
    [{ schedule: 'daily', name: 'manual' }, /manual is what reports are called/],
    [{ schedule: 'daily', name: 'a b' }, /name of up to 40 letters/],
    [{ schedule: 'daily', to: ['nobody'] }, /to\.0: is no mail address/],
    [{ schedule: 'daily', to: ['a@example.com', 'A@example.com'] }, /names an address twice/],
    [{ schedule: 'daily', formats: ['pdf'] }, /formats/],
    [{ schedule: 'daily', keep: {} }, /keep: give count, days, or both/],
    [{ schedule: 'daily', webhook: { url: 'https://example.com' } }, /secretEnv or secretFile/],
    [[{ schedule: 'daily' }, { schedule: 'daily' }], /same name/],
  ])('%j is refused', (reports, message) => {
    expect(() => reportsOf(reports)).toThrow(message);
  });

  it('need a mail server where they go to people', () => {
    const to = { schedule: 'daily', to: ['a@example.com'] };
    expect(() => reportsOf(to, {})).toThrow(
      /mail: models\.churn has reports that go to people, which needs a mail server/,
    );
    expect(() => parseConfig({ defaults: { reports: to } } as ConfigInput)).toThrow(/mail: defaults has/);
    expect(reportsOf({ schedule: 'daily' }, {})).toHaveLength(1);
  });

  it.each([
    [{ ...mail, user: 'u' }, /user goes with passwordEnv or passwordFile/],
    [{ ...mail, user: 'u', passwordEnv: 'P', tls: 'none' }, /must not cross a network in the clear/],
    [{ ...mail, from: 'Plumbline' }, /mail\.from: is no mail address/],
    [{ ...mail, from: 'a@example.com\r\nBcc: b@example.com' }, /mail\.from: is no mail address/],
    [{ ...mail, port: 0 }, /mail\.port/],
    [{ ...mail, password: 'x' }, /password/],
  ])('go by no server like %j', (server, message) => {
    expect(() => reportsOf({ schedule: 'daily' }, { mail: server })).toThrow(message);
  });

  it('go by the usual port of what the server speaks', () => {
    const portOf = (more: object) => parseConfig({ mail: { ...mail, ...more } }).mail?.port;
    expect([
      portOf({}),
      portOf({ tls: 'implicit' }),
      portOf({ tls: 'none' }),
      portOf({ port: 2525 }),
    ]).toEqual([587, 465, 25, 2525]);
  });

  it('are told only to hooks that take their events as they are', () => {
    const hook = { name: 'h', url: 'https://example.com', on: ['report'] };
    const parse = (more: object) =>
      parseConfig({ models: { churn: { hooks: [{ ...hook, ...more }] } } } as ConfigInput);
    expect(parse({ secretEnv: 'S' }).models.churn?.hooks[0]?.on).toEqual(['report']);
    expect(() => parse({ preset: 'mlflowTag' })).toThrow(/only the preset webhook is told of reports/);
  });
});
