import { AppError } from '../errors.js';
import { versionPath } from './model.js';
import { answer, type Output, say, table } from './output.js';
import type { ServiceClient } from './service-client.js';

interface ListedReference {
  readonly hash: string;
  readonly rows: number;
  readonly period: { readonly startMs: number; readonly endMs: number } | null;
  readonly provenance: string;
  readonly createdAtMs: number;
  readonly current: boolean;
}

interface ListedChange {
  readonly kind: string;
  readonly hash: string;
  readonly atMs: number;
  readonly by: string;
  readonly reason: string;
}

export interface RebaselineOptions {
  readonly model: string;
  readonly version: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly hash?: string | undefined;
  readonly reason?: string | undefined;
}

const SHORT = 12;
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const minute = (ms: number) => `${new Date(ms).toISOString().slice(0, 16)}Z`;

async function fetchReferences(client: ServiceClient, model: string, version: string) {
  return (await client.get(`${versionPath(model, version)}/references`)) as {
    references: ListedReference[];
    changes: ListedChange[];
  };
}

export async function listReferences(
  client: ServiceClient,
  options: { model: string; version: string },
  output: Output,
): Promise<void> {
  const document = await fetchReferences(client, options.model, options.version);
  if (document.references.length === 0) say(output, 'This version has no reference yet.');
  else {
    say(
      output,
      table(
        ['', 'reference', 'rows', 'period', 'from'],
        document.references.map((reference) => [
          reference.current ? '*' : '',
          reference.hash.slice(0, SHORT),
          reference.rows,
          reference.period === null
            ? 'no timestamps'
            : `${day(reference.period.startMs)} – ${day(reference.period.endMs - 1)}`,
          reference.provenance,
        ]),
      ),
    );
    for (const change of document.changes)
      say(
        output,
        `${minute(change.atMs)} ${change.kind} ${change.hash.slice(0, SHORT)} by ${change.by}${change.reason === '' ? '' : `: ${change.reason}`}`,
      );
  }
  answer(output, document);
}

/** A hash as the list shows it, or whole. */
async function wholeHash(client: ServiceClient, options: RebaselineOptions, start: string): Promise<string> {
  const { references } = await fetchReferences(client, options.model, options.version);
  const [found, another] = references.filter(({ hash }) => hash.startsWith(start.toLowerCase()));
  if (found === undefined || another !== undefined)
    throw new AppError(
      'not_found',
      `${another === undefined ? 'no reference' : 'more than one reference'} of ${options.model} ${options.version} begins with ${start}: see "plumbline model references"`,
    );
  return found.hash;
}

/** What is wrong with the options together, or null. */
export function rebaselineProblem({ from, to, hash }: Partial<RebaselineOptions>): string | null {
  const isPeriod = from !== undefined && to !== undefined && hash === undefined;
  const isEarlier = hash !== undefined && from === undefined && to === undefined;
  return isPeriod || isEarlier
    ? null
    : 'give --from and --to for a past production period, or --reference for an earlier reference';
}

/** Makes a past production period, or an earlier reference, the version's current one. */
export async function rebaseline(
  client: ServiceClient,
  options: RebaselineOptions,
  output: Output,
): Promise<void> {
  const { from, to, hash, reason = '' } = options;
  const body =
    hash === undefined
      ? { period: { from, to }, reason }
      : { hash: await wholeHash(client, options, hash), reason };
  const document = (await client.putJson(
    `${versionPath(options.model, options.version)}/reference`,
    body,
  )) as { reference: ListedReference };
  const { reference } = document;
  say(
    output,
    `${options.model} version ${options.version} is compared with ${reference.rows} rows of ${reference.provenance} (${reference.hash.slice(0, SHORT)}) from now on.`,
  );
  answer(output, document);
}
