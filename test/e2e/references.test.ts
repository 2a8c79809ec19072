import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ReferenceChange, ReferenceSummary } from '../../src/domain/reference.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { dayOf, FLIGHTS_MODEL, FLIGHTS_REFERENCE, firstFlights } from '../support/flight-events.js';
import { freePort } from '../support/free-port.js';
import type { GuardedProcess } from '../support/guarded-process.js';
import { plumbline, startService, until } from '../support/service-process.js';

const VERSION = '1';
const APRIL_15 = '2013-04-15';
const MAY_1 = '2013-05-01';

/** The whole life of a model's references, by the command line, against a running service. */
describe('references by the command line', () => {
  let directory = '';
  let service: GuardedProcess;
  let url = '';
  let early = '';
  let late = '';

  async function run<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await plumbline([...args, '--json'], { PLUMBLINE_URL: url });
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }
  const references = () =>
    run<{ references: ReferenceSummary[]; changes: ReferenceChange[] }>(
      'model',
      'references',
      FLIGHTS_MODEL,
      VERSION,
    );
  async function verdicts(): Promise<Verdict[]> {
    const response = await fetch(
      `${url}/v1/models/${FLIGHTS_MODEL}/verdicts?version=${VERSION}&detector=ks&feature=temp&limit=1000`,
    );
    return ((await response.json()) as { verdicts: Verdict[] }).verdicts;
  }
  const judgedUntil = (day: string) =>
    until(`the windows until ${day}`, 120_000, async () => {
      const found = await verdicts();
      return (found.at(-1)?.window.endMs ?? 0) >= Date.parse(day) ? found : null;
    });

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-references-'));
    const lines = firstFlights(Number.POSITIVE_INFINITY).predictions.filter((line) =>
      ['2013-04', '2013-05-0'].some((month) => dayOf(line).startsWith(month)),
    );
    early = join(directory, 'early.ndjson');
    late = join(directory, 'late.ndjson');
    await writeFile(early, lines.filter((line) => dayOf(line) <= MAY_1).join('\n'));
    await writeFile(late, lines.filter((line) => dayOf(line) > MAY_1).join('\n'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const configFile = join(directory, 'plumbline.json');
    await writeFile(
      configFile,
      JSON.stringify({
        store: { dataDir: join(directory, 'data') },
        http: { port },
        clock: 'data',
        jobs: { cron: '* * * * * *' },
        log: { level: 'warn' },
        defaults: { window: { length: '24h', step: '24h' } },
      }),
    );
    service = await startService({ configFile, url, logFile: join(directory, 'log') });
  });
  afterAll(async () => {
    await service?.kill();
    await rm(directory, { recursive: true, force: true });
  });

  it('a file first, with the reason', async () => {
    await run(
      'model',
      'register',
      FLIGHTS_MODEL,
      '--version',
      VERSION,
      '--reference',
      FLIGHTS_REFERENCE,
      '--reason',
      'first training',
    );
    await run('replay', early);
    const judged = await judgedUntil(MAY_1);
    expect(judged).toHaveLength(30);
    const { references: listed, changes } = await references();
    expect(listed).toMatchObject([{ current: true, provenance: 'uploaded as parquet' }]);
    expect(changes).toMatchObject([{ kind: 'registered', by: 'local', reason: 'first training' }]);
    expect(new Set(judged.map(({ referenceHash }) => referenceHash))).toEqual(new Set([listed[0]?.hash]));
  });

  it('then a production period: days to come are compared with it, days judged keep what they had', async () => {
    const before = await verdicts();
    const { reference } = await run<{ reference: ReferenceSummary }>(
      'model',
      'rebaseline',
      FLIGHTS_MODEL,
      VERSION,
      '--from',
      APRIL_15,
      '--to',
      MAY_1,
      '--reason',
      'spring',
    );
    expect(reference.nullModel.kind).toBe('temporal');
    expect(reference.rows).toBeGreaterThan(14_000);
    expect(reference.provenance).toBe('production from 2013-04-15T00:00Z to 2013-05-01T00:00Z');
    await run('replay', late);
    const after = await judgedUntil('2013-05-09');
    expect(after.slice(0, before.length)).toEqual(before);
    expect(new Set(after.slice(before.length).map(({ referenceHash }) => referenceHash))).toEqual(
      new Set([reference.hash]),
    );
    const { references: listed, changes } = await references();
    expect(listed.map(({ hash, current }) => [hash === reference.hash, current])).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(changes[0]).toMatchObject({
      kind: 'rebaselined',
      reason: 'spring',
      previousHash: listed[1]?.hash,
    });
    const page = await (await fetch(`${url}/models/${FLIGHTS_MODEL}/versions/${VERSION}`)).text();
    expect(page).toContain('spring');
    expect(page).toContain('rebaselined');
  });

  it('and back to the first, by the beginning of its hash', async () => {
    const first = (await references()).references[1]?.hash ?? '';
    await run('model', 'rebaseline', FLIGHTS_MODEL, VERSION, '--reference', first.slice(0, 8));
    const { references: listed, changes } = await references();
    expect(listed[0]).toMatchObject({ hash: first, current: true });
    expect(changes.map(({ kind }) => kind)).toEqual(['restored', 'rebaselined', 'registered']);
  });

  it('says what is wrong, without a trace of a stack', async () => {
    for (const [args, words] of [
      [['--from', '2014-01-01', '--to', '2014-02-01'], 'no row is counted in this period'],
      [['--from', '2013-05-01', '--to', '2013-04-01'], 'from comes before to'],
      [['--from', 'spring', '--to', 'summer'], 'whole hours'],
      [['--reference', 'ffffffffffff'], 'no reference of'],
      [[], 'give --from and --to'],
    ] as const) {
      const { code, stderr } = await plumbline(['model', 'rebaseline', FLIGHTS_MODEL, VERSION, ...args], {
        PLUMBLINE_URL: url,
      });
      expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining(words)]);
      expect(code).not.toBe(0);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
    const query = await plumbline(
      ['model', 'register', 'other', '--version', '1', '--query', "SELECT file('/etc/passwd')"],
      { PLUMBLINE_URL: url },
    );
    expect(query.stderr).toContain('a query needs a ClickHouse server');
    expect((await references()).changes).toHaveLength(3);
  });

  it('until the model is deleted: its rows are refused from then on', async () => {
    const { removed } = await run<{ removed: Record<string, number> }>(
      'model',
      'delete',
      FLIGHTS_MODEL,
      '--yes',
    );
    expect(removed.predictions).toBeGreaterThan(30_000);
    expect(removed).toMatchObject({ models: 1, reference_changes: 3 });
    expect((await run<{ models: unknown[] }>('model', 'list')).models).toEqual([]);
    const counts = await run<{ predictions: Record<string, number> }>('replay', late);
    expect(counts.predictions).toMatchObject({ accepted: 0, duplicate: 0 });
    expect(counts.predictions.rejected).toBe(counts.predictions.received);
  });

  it('and registered anew: it begins anew', async () => {
    await run('model', 'register', FLIGHTS_MODEL, '--version', VERSION, '--reference', FLIGHTS_REFERENCE);
    expect((await references()).changes).toMatchObject([{ kind: 'registered', previousHash: null }]);
    const counts = await run<{ predictions: Record<string, number> }>('replay', late);
    expect(counts.predictions).toMatchObject({ duplicate: 0, rejected: 0 });
    // The clock is past these days already, so they are judged as their rows come in, and again.
    await until('seven days with rows', 100_000, async () => {
      const found = (await verdicts()).filter(({ currentRows }) => currentRows > 0);
      return found.length === 7 ? found : null;
    });
  });
});
