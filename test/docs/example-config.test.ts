import { describe, expect, it } from '@jest/globals';
import { loadConfig, parseConfig } from '../../src/config.js';
import { AppError } from '../../src/errors.js';

describe('examples/plumbline.yaml', () => {
  it('is valid and says the defaults', () => {
    const { models, ...example } = parseConfig(loadConfig('examples/plumbline.yaml'));
    const { models: _, ...defaults } = parseConfig({});
    expect(example).toEqual(defaults);
    expect(models.churn?.window).toEqual({ length: 86_400_000, step: 86_400_000, lateness: 3_600_000 });
  });
});

describe('a wrong configuration', () => {
  it('is reported with every problem at once', () => {
    const wrong = {
      http: { port: 99_999 },
      clock: 'moon',
      models: { m: { window: { length: '90m' }, policy: { open: '3of2' } } },
      stoer: {},
    };
    expect(() => parseConfig(wrong)).toThrow(AppError);
    try {
      parseConfig(wrong);
    } catch (error) {
      const { message } = error as AppError;
      for (const part of ['http.port', 'clock', 'models.m.window.length', 'models.m.policy.open', 'stoer'])
        expect(message).toContain(part);
    }
  });

  it('names a file that cannot be read', () => {
    expect(() => loadConfig('none.yaml')).toThrow(/none\.yaml/);
  });
});
