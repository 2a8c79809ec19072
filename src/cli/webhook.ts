import { type Command, Option } from 'commander';
import { AppError } from '../errors.js';
import { answer, type Output, say, table } from './output.js';
import { createServiceClient, type ServiceClient } from './service-client.js';

interface ListedEvent {
  readonly id: string;
  readonly type: string;
  readonly model: string;
  readonly hook: string;
  readonly createdAtMs: number;
  readonly state: string;
  readonly attempts: readonly { readonly detail: string; readonly nextAttemptAtMs: number | null }[];
}

export interface ScopeOptions {
  readonly model?: string;
  readonly hook?: string;
}

const scopeOf = ({ model, hook }: ScopeOptions) => ({ model, hook });
const nameOf = ({ model, hook }: ScopeOptions) =>
  model === undefined ? 'all models' : hook === undefined ? model : `${model}, hook ${hook}`;

export async function listWebhooks(
  client: ServiceClient,
  options: ScopeOptions & { readonly state?: string; readonly limit?: string },
  output: Output,
): Promise<void> {
  const query = new URLSearchParams();
  for (const name of ['model', 'hook', 'state', 'limit'] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, value);
  }
  const document = (await client.get(`/v1/webhooks?${query}`)) as { events: ListedEvent[] };
  if (!output.json)
    say(
      output,
      document.events.length === 0
        ? 'No webhook event.'
        : table(
            ['id', 'written', 'model', 'hook', 'type', 'state', 'attempts', 'last'],
            document.events.map((event) => [
              event.id,
              new Date(event.createdAtMs).toISOString(),
              event.model,
              event.hook,
              event.type,
              event.state,
              event.attempts.length,
              event.attempts.at(-1)?.detail ?? '',
            ]),
          ),
    );
  answer(output, document);
}

export async function listHooks(client: ServiceClient, output: Output): Promise<void> {
  const document = (await client.get('/v1/webhooks/hooks')) as {
    hooks: {
      model: string;
      hook: string;
      preset: string;
      target: string;
      on: string[];
      holds: { reason: string }[];
    }[];
  };
  if (!output.json)
    say(
      output,
      document.hooks.length === 0
        ? 'No registered model has a hook.'
        : table(
            ['model', 'hook', 'preset', 'target', 'on', 'held'],
            document.hooks.map((hook) => [
              hook.model,
              hook.hook,
              hook.preset,
              hook.target,
              hook.on.join(' '),
              hook.holds.map(({ reason }) => reason).join(' '),
            ]),
          ),
    );
  answer(output, document);
}

export async function replayWebhook(
  client: ServiceClient,
  id: string | undefined,
  options: ScopeOptions,
  output: Output,
): Promise<void> {
  const document = (await client.postJson(
    '/v1/webhooks/replay',
    id === undefined ? scopeOf(options) : { id },
  )) as { replayed: string[] };
  say(output, `${document.replayed.length} to be sent again.`);
  answer(output, document);
}

export async function testWebhook(
  client: ServiceClient,
  model: string,
  options: { readonly hook?: string; readonly dryRun: boolean },
  output: Output,
): Promise<void> {
  const document = (await client.postJson('/v1/webhooks/test', {
    model,
    hook: options.hook,
    dryRun: options.dryRun,
  })) as {
    request: { method: string; url: string; headers: Record<string, string>; body: string };
    delivery: { ok: boolean; status: number; reason?: string; dryRun?: string } | null;
  };
  const { request, delivery } = document;
  say(output, `${request.method} ${request.url}`);
  for (const [header, value] of Object.entries(request.headers)) say(output, `${header}: ${value}`);
  say(output, `\n${request.body}\n`);
  if (delivery === null) say(output, 'Not sent.');
  else if (delivery.ok) say(output, delivery.dryRun ?? `Taken: status ${delivery.status}.`);
  answer(output, document);
  if (delivery !== null && !delivery.ok)
    throw new AppError('checks_failed', `the test event was not taken: ${delivery.reason}`);
}

export async function pauseWebhooks(
  client: ServiceClient,
  options: ScopeOptions & { readonly reason: string },
  output: Output,
): Promise<void> {
  const document = await client.postJson('/v1/webhooks/pause', {
    ...scopeOf(options),
    reason: options.reason,
  });
  say(
    output,
    `Paused: ${nameOf(options)}. Events wait for "plumbline webhook resume" with the same options.`,
  );
  answer(output, document);
}

export async function resumeWebhooks(
  client: ServiceClient,
  options: ScopeOptions,
  output: Output,
): Promise<void> {
  const document = (await client.postJson('/v1/webhooks/resume', scopeOf(options))) as {
    released: unknown[];
  };
  say(
    output,
    document.released.length === 0
      ? `Nothing was held for ${nameOf(options)}.`
      : `Let go: ${nameOf(options)}.`,
  );
  answer(output, document);
}

/** Adds `plumbline webhook …` to the program. */
export function addWebhookCommands(
  program: Command,
  outputOf: (options: { json?: boolean }) => Output,
): void {
  const webhook = program
    .command('webhook')
    .description('look at webhooks, replay, try, pause and resume them');
  const command = (name: string, description: string) =>
    webhook
      .command(name)
      .description(description)
      .addOption(
        new Option('--url <url>', 'the running service')
          .env('PLUMBLINE_URL')
          .default('http://127.0.0.1:8080'),
      )
      .addOption(new Option('--key <key>', 'API key').env('PLUMBLINE_KEY'))
      .addOption(new Option('--json', 'print one JSON document on stdout, and nothing else there'));
  const scoped = (name: string, description: string) =>
    command(name, description)
      .option('--model <model>', 'of this model only')
      .option('--hook <hook>', 'of this hook only');

  scoped('list', 'events and how their delivery went, newest first')
    .addOption(
      new Option('--state <state>', 'only those that are').choices([
        'pending',
        'delivered',
        'failed',
        'skipped',
      ]),
    )
    .option('--limit <n>', 'at most so many', '50')
    .action((options) => listWebhooks(createServiceClient(options), options, outputOf(options)));
  command('hooks', 'the configured hooks of registered models, and what holds them').action((options) =>
    listHooks(createServiceClient(options), outputOf(options)),
  );
  scoped('replay', 'send an event again; without an id all that failed for good')
    .argument('[id]')
    .action((id: string | undefined, options) =>
      replayWebhook(createServiceClient(options), id, options, outputOf(options)),
    );
  command('test', 'send a test event now, and show request and answer; a preset starts its run')
    .argument('<model>')
    .option('--hook <hook>', 'the hook (default: the first)')
    .option('--dry-run', 'show the request, send nothing', false)
    .action((model: string, options) =>
      testWebhook(createServiceClient(options), model, options, outputOf(options)),
    );
  scoped('pause', 'send nothing until resume; events wait')
    .option('--reason <text>', 'why, for the list of hooks', '')
    .action((options) => pauseWebhooks(createServiceClient(options), options, outputOf(options)));
  scoped('resume', 'send again, after a pause or to an endpoint that was gone').action((options) =>
    resumeWebhooks(createServiceClient(options), options, outputOf(options)),
  );
}
