import { describe, expect, it } from '@jest/globals';
import { modelConfig, parseConfig } from '../../src/config.js';

describe('the settings of a model', () => {
  const config = parseConfig({ models: { churn: { window: { length: '1d' } } } });

  it('are its own, else the defaults', () => {
    expect(modelConfig(config, 'churn').window.length).toBe(86_400_000);
    expect(modelConfig(config, 'other')).toBe(config.defaults);
  });

  it('are the defaults for a model that is called like a property of every object', () => {
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(modelConfig(config, name)).toBe(config.defaults);
  });
});
