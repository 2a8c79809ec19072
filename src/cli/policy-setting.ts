import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { z } from 'zod';
import { readPolicy } from './backtest.js';
import type { CommonOptions } from './command-options.js';
import { answer, type Output, say, table } from './output.js';
import { createServiceClient, type ServiceClient } from './service-client.js';

const policyPath = (model: string) => `/v1/models/${encodeURIComponent(model)}/policy`;
const time = (ms: number) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

const setting = z.looseObject({
  policy: z.record(z.string(), z.unknown()),
  source: z.enum(['store', 'file']),
  policyFrom: z.enum(['store', 'file']),
  history: z.array(
    z.looseObject({
      policy: z.record(z.string(), z.unknown()).nullable(),
      by: z.string(),
      note: z.string(),
      atMs: z.number(),
    }),
  ),
});
const silence = z.object({
  snoozes: z.array(
    z.looseObject({
      category: z.string().nullable(),
      episodeId: z.string().nullable(),
      untilMs: z.number().nullable(),
      by: z.string(),
      note: z.string(),
    }),
  ),
  maintenance: z.object({ name: z.string(), untilMs: z.number() }).nullable(),
});

export async function showPolicy(
  client: Pick<ServiceClient, 'get'>,
  model: string,
  output: Output,
): Promise<void> {
  const document = setting.parse(await client.get(policyPath(model)));
  const now = silence.parse(await client.get(`/v1/models/${encodeURIComponent(model)}/snooze`));
  say(
    output,
    `The policy of ${model} is that of the ${document.source === 'store' ? 'API' : 'configuration file'}:`,
  );
  say(output, stringify(document.policy).trimEnd());
  if (now.maintenance !== null)
    say(
      output,
      `\nMaintenance (${now.maintenance.name}) until ${time(now.maintenance.untilMs)}: nobody is told.`,
    );
  for (const { category, episodeId, untilMs, by } of now.snoozes)
    say(
      output,
      `\nSnoozed until ${time(untilMs ?? 0)} by ${by}: ${episodeId === null ? (category ?? 'everything') : `episode ${episodeId}`}.`,
    );
  if (document.history.length > 0)
    say(
      output,
      `\n${table(
        ['set', 'by', 'policy', 'note'],
        document.history.map(({ atMs, by, policy, note }) => [
          time(atMs),
          by,
          policy === null ? '(removed)' : JSON.stringify(policy),
          note,
        ]),
      )}`,
    );
  answer(output, { ...document, silence: now });
}

export async function setPolicy(
  client: Pick<ServiceClient, 'putJson'>,
  options: { model: string; file: string; by?: string; note?: string },
  output: Output,
): Promise<void> {
  const { policy } = readPolicy(options.file);
  const { by, note } = options;
  const document = await client.putJson(policyPath(options.model), {
    policy,
    ...(by === undefined ? {} : { by }),
    ...(note === undefined ? {} : { note }),
  });
  say(output, `The policy of ${options.model} is set; it is in force from the next cycle on.`);
  answer(output, document);
}

export async function resetPolicy(
  client: Pick<ServiceClient, 'delete'>,
  { model, by, note }: { model: string; by?: string; note?: string },
  output: Output,
): Promise<void> {
  const query = new URLSearchParams({
    ...(by === undefined ? {} : { by }),
    ...(note === undefined ? {} : { note }),
  });
  const document = await client.delete(`${policyPath(model)}?${query}`);
  say(output, `The policy of ${model} is that of the configuration file again.`);
  answer(output, document);
}

/** Adds `policy show`, `set` and `reset`. */
export function addPolicySettingCommands(
  program: Command,
  { url, key, json, outputOf }: CommonOptions,
): void {
  const policy = program.command('policy').description('which windows become episodes, and who is told');
  const by = () => new Option('--by <name>', 'who asks for it').env('USER');
  policy
    .command('show')
    .description("a model's policy in force, what is silent now, and all policies that were set")
    .argument('<model>')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((model: string, options) => showPolicy(createServiceClient(options), model, outputOf(options)));
  policy
    .command('set')
    .description('set it from a YAML file, in place of that of the configuration')
    .argument('<model>')
    .argument('<file>', 'a policy section, whole')
    .addOption(by())
    .option('--note <text>', 'why')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((model: string, file: string, { url, key, json, ...options }) =>
      setPolicy(createServiceClient({ url, key }), { model, file, ...options }, outputOf({ json })),
    );
  policy
    .command('reset')
    .description('go back to that of the configuration')
    .argument('<model>')
    .addOption(by())
    .option('--note <text>', 'why')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((model: string, { url, key, json, ...options }) =>
      resetPolicy(createServiceClient({ url, key }), { model, ...options }, outputOf({ json })),
    );
}
