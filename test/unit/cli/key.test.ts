import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { addKey, parseScopes } from '../../../src/cli/key.js';
import { readKeysFile } from '../../../src/http/access.js';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'plumbline-keys-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function run(keysFile: string, scopes: string, models: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  await addKey({ keysFile, scopes: parseScopes(scopes), models }, { json: true, stdout, stderr });
  return JSON.parse(String(stdout.read())) as { key: string; id: string };
}

describe('key create', () => {
  it('adds keys to a file that only its owner reads, beside those that are there', async () => {
    const file = join(root, 'keys.yaml');
    const first = await run(file, 'ingest', ['churn*']);
    writeFileSync(file, `# our keys\n${readFileSync(file, 'utf8')}`);
    const second = await run(file, 'read, admin', ['*']);
    expect(readKeysFile(file)).toMatchObject([
      { id: first.id, scopes: ['ingest'], models: ['churn*'] },
      { id: second.id, scopes: ['read', 'admin'], models: ['*'] },
    ]);
    expect(first.key).toMatch(new RegExp(`^plk_${first.id}_[\\w-]{43}$`));
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('# our keys');
    for (const { id, key } of [first, second]) expect(text).not.toContain(key.slice(`plk_${id}_`.length));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('leaves a file alone that holds something else', async () => {
    const file = join(root, 'other.yaml');
    writeFileSync(file, 'store: {}\n');
    await expect(run(file, 'read', ['*'])).rejects.toMatchObject({ code: 'config_invalid' });
    expect(readFileSync(file, 'utf8')).toBe('store: {}\n');
  });

  it('knows no other scopes', () => {
    expect(() => parseScopes('read,write')).toThrow('a scope is one of ingest, read, admin, got "write"');
  });
});
