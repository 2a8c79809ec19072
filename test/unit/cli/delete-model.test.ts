import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { deleteModel, deletionProblem } from '../../../src/cli/delete-model.js';
import type { ServiceClient } from '../../../src/cli/service-client.js';

function setup(isTTY: boolean) {
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const asked: string[] = [];
  const client = {
    delete: async (path: string) => {
      asked.push(path);
      return { model: 'a b', removed: { predictions: 7, verdicts: 2 } };
    },
  } as unknown as ServiceClient;
  const run = (yes: boolean) =>
    deleteModel(client, { model: 'a b', yes, stdin }, { json: false, stdout, stderr });
  return { stdin, stdout, asked, run };
}

describe('model delete', () => {
  it('asks for the name on a terminal', async () => {
    const { stdin, stdout, asked, run } = setup(true);
    stdin.write('a b\n');
    await run(false);
    expect(asked).toEqual(['/v1/models/a%20b']);
    expect(String(stdout.read())).toBe('Deleted a b: 7 predictions, 0 labels, 2 verdicts, 0 episodes.\n');
  });

  it('deletes nothing when another name is typed', async () => {
    const { stdin, asked, run } = setup(true);
    stdin.write('a\n');
    await expect(run(false)).rejects.toThrow('nothing was deleted: "a" is not a b');
    expect(asked).toEqual([]);
  });

  it('wants --yes without a terminal', async () => {
    const { asked, run, stdin } = setup(false);
    expect(deletionProblem({ model: 'a b', yes: false, stdin })).toMatch(/deletes a b .* say --yes/);
    expect(deletionProblem({ model: 'a b', yes: true, stdin })).toBeNull();
    await run(true);
    expect(asked).toHaveLength(1);
  });
});
