import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { Reference } from '../../../src/domain/reference.js';
import { createQueryRegistrar, type RegisterQueryDeps } from '../../../src/jobs/register-query.js';

const INPUT = { model: 'churn', modelVersion: '3', author: { by: 'local', reason: '' } };
const REGISTERED = { model: {} as ModelVersion, reference: {} as Reference };

function setup(overrides: Partial<RegisterQueryDeps> = {}) {
  const seen: { paths: string[]; content: string; provenance: string } = {
    paths: [],
    content: '',
    provenance: '',
  };
  const register = createQueryRegistrar({
    store: {
      exportQuery: async (sql, path) => {
        seen.paths.push(path);
        writeFileSync(path, sql);
      },
    },
    registerReference: async ({ path, provenance, ...rest }) => {
      expect(rest).toEqual(INPUT);
      seen.content = readFileSync(path, 'utf8');
      seen.provenance = provenance;
      return REGISTERED;
    },
    ...overrides,
  });
  return { seen, register };
}

describe('registering a query', () => {
  it('reads its answer like a file, keeps its text, and leaves no file behind', async () => {
    const { seen, register } = setup();
    expect(await register({ ...INPUT, query: ' SELECT 1\n' })).toBe(REGISTERED);
    expect(seen).toMatchObject({ content: ' SELECT 1\n', provenance: 'query: SELECT 1' });
    expect(seen.paths[0]).toMatch(/\.parquet$/);
    expect(existsSync(seen.paths[0] ?? '')).toBe(false);
  });

  it('keeps the beginning of a long text', async () => {
    const { seen, register } = setup();
    await register({ ...INPUT, query: `SELECT ${'x'.repeat(5_000)}` });
    expect(seen.provenance).toHaveLength('query: '.length + 2_000 + 2);
  });

  it('leaves no file behind when it fails', async () => {
    const { seen, register } = setup({
      registerReference: async () => {
        throw new Error('planned');
      },
    });
    await expect(register({ ...INPUT, query: 'SELECT 1' })).rejects.toThrow('planned');
    expect(existsSync(seen.paths[0] ?? '')).toBe(false);
  });
});
