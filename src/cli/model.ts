import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { extname } from 'node:path';
import { z } from 'zod';
import { AppError, messageOf } from '../errors.js';
import { answer, type Output, say, table } from './output.js';
import type { ServiceClient } from './service-client.js';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.parquet': 'application/vnd.apache.parquet',
  '.csv': 'text/csv',
  '.ndjson': 'application/x-ndjson',
  '.jsonl': 'application/x-ndjson',
};

const announced = z.object({ retrainings: z.array(z.looseObject({ episodeId: z.string() })) });

export const versionPath = (model: string, version: string) =>
  `/v1/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}`;

export interface RegisterOptions {
  readonly model: string;
  readonly version: string;
  /** A file, or a query: one of the two. */
  readonly reference?: string | undefined;
  readonly query?: string | undefined;
  readonly reason?: string | undefined;
  /** How the isolation forest is grown, instead of as the service is configured. */
  readonly trees?: string | undefined;
  readonly sampleSize?: string | undefined;
  /** Ids of the episodes, or of the webhook events, that the version was trained for. */
  readonly retrainedFor?: readonly string[] | undefined;
}

/** What is wrong with the options together, or null. */
export function registerProblem({ reference, query }: Partial<RegisterOptions>): string | null {
  return (reference === undefined) === (query === undefined)
    ? 'give --reference FILE or --query SELECT, one of the two'
    : null;
}

/**
 * Registers a version from a file that this command sends, or a query that the service asks its ClickHouse server, and then says what
 * it was trained for.
 */
export async function registerModel(
  client: ServiceClient,
  options: RegisterOptions,
  output: Output,
): Promise<void> {
  const { model, version, reference, query, reason, trees, sampleSize, retrainedFor } = options;
  const document =
    query === undefined
      ? await sendFile(client, { model, version, reference: reference ?? '' }, { reason, trees, sampleSize })
      : await client.putJson(`${versionPath(model, version)}/reference`, {
          query,
          reason,
          outliers: { trees, sampleSize },
        });
  say(output, `Registered ${model} version ${version}.`);
  if (retrainedFor === undefined) {
    answer(output, document);
    return;
  }
  const { retrainings } = announced.parse(
    await client.putJson(versionPath(model, version), { retrainedFor }),
  );
  say(output, `It was trained for ${retrainings.map(({ episodeId }) => `episode ${episodeId}`).join(', ')}.`);
  answer(output, { ...z.looseObject({}).parse(document), retrainings });
}

async function sendFile(
  client: ServiceClient,
  options: { model: string; version: string; reference: string },
  words: Readonly<Record<string, string | undefined>>,
): Promise<unknown> {
  const contentType = CONTENT_TYPES[extname(options.reference).toLowerCase()];
  if (contentType === undefined)
    throw new AppError(
      'invalid_reference',
      `cannot tell the format of ${options.reference}: name it .parquet, .csv, .ndjson or .jsonl`,
    );
  await access(options.reference, constants.R_OK).catch((cause: unknown) => {
    throw new AppError(
      'file_unreadable',
      `cannot read the reference ${options.reference}: ${messageOf(cause)}`,
      { cause },
    );
  });
  const told = new URLSearchParams();
  for (const [name, value] of Object.entries(words)) if (value !== undefined) told.set(name, value);
  const parameters = told.size === 0 ? '' : `?${told}`;
  return client.putFile(
    `${versionPath(options.model, options.version)}/reference${parameters}`,
    options.reference,
    contentType,
  );
}

interface ListedModel {
  readonly model: string;
  readonly modelVersion: string;
  readonly schema: { readonly task: string; readonly features: readonly { name: string; kind: string }[] };
  readonly registeredAtMs: number;
}

async function fetchModels(client: ServiceClient): Promise<ListedModel[]> {
  return ((await client.get('/v1/models')) as { models: ListedModel[] }).models;
}

export async function listModels(client: ServiceClient, output: Output): Promise<void> {
  const models = await fetchModels(client);
  if (!output.json)
    say(
      output,
      models.length === 0
        ? 'No model is registered yet: plumbline model register MODEL --version V --reference FILE'
        : table(
            ['model', 'version', 'task', 'features', 'registered'],
            models.map((m) => [
              m.model,
              m.modelVersion,
              m.schema.task,
              m.schema.features.length,
              new Date(m.registeredAtMs).toISOString(),
            ]),
          ),
    );
  answer(output, { models });
}

export async function showModel(client: ServiceClient, model: string, output: Output): Promise<void> {
  const versions = (await fetchModels(client)).filter((m) => m.model === model);
  if (versions.length === 0)
    throw new AppError('unknown_model', `no model ${model} is registered: see "plumbline model list"`);
  for (const version of versions) {
    say(output, `${model} version ${version.modelVersion}: ${version.schema.task}`);
    say(
      output,
      table(
        ['feature', 'kind'],
        version.schema.features.map((f) => [f.name, f.kind]),
      ),
    );
  }
  answer(output, { versions });
}
