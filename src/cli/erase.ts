import type { Command } from 'commander';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { CommonOptions } from './command-options.js';
import { answer, type Output, say, table } from './output.js';
import { createServiceClient, type ServiceClient } from './service-client.js';

interface EraseOptions {
  readonly model: string;
  readonly predictionId?: string | undefined;
  /** `TAG=VALUE`. */
  readonly subject?: string | undefined;
  readonly reason: string;
}

const erasure = z.looseObject({
  kind: z.enum(['prediction', 'subject']),
  at: z.string(),
  by: z.string(),
  reason: z.string(),
  erased: z.record(z.string(), z.number()),
  predictionIds: z.number(),
});

/** What to erase, as the service takes it. Throws invalid_request for anything but one of the two. */
export function targetOf({ predictionId, subject }: Pick<EraseOptions, 'predictionId' | 'subject'>) {
  if ((predictionId === undefined) === (subject === undefined))
    throw new AppError('invalid_request', 'say what to erase: --prediction-id ID, or --subject TAG=VALUE');
  if (subject === undefined) return { predictionId };
  const at = subject.indexOf('=');
  if (at <= 0 || at === subject.length - 1)
    throw new AppError('invalid_request', '--subject must be TAG=VALUE, e.g. customer=c-17');
  return { subject: { tag: subject.slice(0, at), value: subject.slice(at + 1) } };
}

const pathOf = (model: string) => `/v1/models/${encodeURIComponent(model)}/erasures`;
const rowsOf = (erased: Readonly<Record<string, number>>) =>
  Object.entries(erased)
    .map(([name, rows]) => `${name} ${rows}`)
    .join(', ');

export async function erase(
  client: Pick<ServiceClient, 'postJson'>,
  { model, reason, ...target }: EraseOptions,
  output: Output,
): Promise<void> {
  const document = erasure.parse(await client.postJson(pathOf(model), { ...targetOf(target), reason }));
  const rows = rowsOf(document.erased);
  say(output, rows === '' ? 'Nothing of it was stored.' : `Erased, and counted as gone: ${rows}.`);
  say(output, 'Rows of it that come again are refused.');
  answer(output, document);
}

export async function listErasures(
  client: Pick<ServiceClient, 'get'>,
  model: string,
  output: Output,
): Promise<void> {
  const document = z.object({ erasures: z.array(erasure) }).parse(await client.get(pathOf(model)));
  if (document.erasures.length === 0) say(output, 'Nothing was erased.');
  else
    say(
      output,
      table(
        ['at', 'what', 'by', 'rows', 'reason'],
        document.erasures.map(({ at, kind, by, erased, reason }) => [at, kind, by, rowsOf(erased), reason]),
      ),
    );
  answer(output, document);
}

export function addErasureCommands(program: Command, { url, key, json, outputOf }: CommonOptions): void {
  program
    .command('erase')
    .description('erase a prediction, or all rows of a subject, from every table, for good')
    .requiredOption('--model <model>', 'whose rows')
    .option('--prediction-id <id>', 'the prediction, with its label')
    .option('--subject <tag=value>', 'all predictions that carry this tag')
    .option('--reason <text>', 'kept with the record of the erasure: name nobody', '')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action(({ url, key, json, ...options }) =>
      erase(createServiceClient({ url, key }), options, outputOf({ json })),
    );
  program
    .command('erasures')
    .description('list what was erased, when, by whom, and how many rows')
    .argument('<model>')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((model: string, { url, key, json }) =>
      listErasures(createServiceClient({ url, key }), model, outputOf({ json })),
    );
}
