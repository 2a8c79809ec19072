import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ReportEntry, ReportFacts } from '../domain/report.js';
import { AppError, messageOf } from '../errors.js';
import { reportMarkdown } from '../views/report-markdown.js';
import { headline, missedSentence, reportTitle, zonedWindow } from '../views/report-words.js';
import type { CommonOptions } from './command-options.js';
import { answer, type Output, say, table } from './output.js';
import { createServiceClient, type ServiceClient } from './service-client.js';

type Linked<T> = T & { readonly links: Readonly<Record<string, string>> };

const reportsPath = (model: string) => `/v1/models/${encodeURIComponent(model)}/reports`;

/** Adds `report`, which writes a file, and what there is to do with reports that the service makes and keeps. */
export function addReportCommands(program: Command, { url, key, json, outputOf }: CommonOptions): void {
  const report = program
    .command('report')
    .description('build a report of a model version as a file, or list, show and run those that are kept')
    .argument('<model>')
    .option('--version <version>', 'version of the model')
    .option('--from <date>', 'first day, e.g. 2013-03-01')
    .option('--to <date>', 'day after the last')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action(async (model: string, options) => {
      if (options.version === undefined)
        report.error(
          "error: required option '--version <version>' not specified (plumbline report run MODEL is about all versions)",
          { code: 'commander.missingMandatoryOptionValue' },
        );
      const output = outputOf(options);
      const document = (await createServiceClient(options).postJson('/v1/reports', {
        model,
        modelVersion: options.version,
        from: options.from,
        to: options.to,
      })) as { path: string; url: string };
      say(output, `Report: ${document.path}`);
      answer(output, document);
    });

  const command = (name: string, description: string) =>
    report
      .command(name)
      .description(description)
      .argument('<model>')
      .addOption(url())
      .addOption(key())
      .addOption(json());

  command('list', 'reports that are kept, newest first')
    .option('--schedule <name>', 'of this schedule only')
    .option('--limit <n>', 'at most so many', '20')
    .action((model: string, options) =>
      listReports(createServiceClient(options), model, options, outputOf(options)),
    );
  command('show', 'a report as Markdown, or as a file')
    .argument('[id]', 'its id (default: the newest)')
    .addOption(
      new Option('--format <format>', 'as what').choices(['markdown', 'html', 'json']).default('markdown'),
    )
    .option('--output <file>', 'write it there')
    .action((model: string, id: string | undefined, options) =>
      showReport(createServiceClient(options), model, id, options, outputOf(options)),
    );
  command('run', 'make a report now, of the last whole period of a schedule or of any period, and keep it')
    .option('--schedule <name>', "its schedule (default: the model's first, else the last week)")
    .option('--version <version>', 'of this version only')
    .option('--from <date>', 'first hour, e.g. 2013-03-01')
    .option('--to <date>', 'hour after the last')
    .option('--announce', "tell the schedule's people and hooks", false)
    .action((model: string, options) =>
      runReport(createServiceClient(options), model, options, outputOf(options)),
    );
}

export async function listReports(
  client: ServiceClient,
  model: string,
  { schedule, limit }: { readonly schedule?: string; readonly limit: string },
  output: Output,
): Promise<void> {
  const query = new URLSearchParams({ limit, ...(schedule === undefined ? {} : { schedule }) });
  const document = (await client.get(`${reportsPath(model)}?${query}`)) as { reports: Linked<ReportEntry>[] };
  if (!output.json)
    say(
      output,
      document.reports.length === 0
        ? 'No report.'
        : table(
            ['id', 'schedule', 'period', 'versions', 'made', 'summary'],
            document.reports.map((each) => [
              each.id,
              each.schedule,
              zonedWindow(each.period, each.timeZone),
              each.versions.join(' '),
              new Date(each.madeAtMs).toISOString(),
              each.summary,
            ]),
          ),
    );
  answer(output, document);
}

export async function showReport(
  client: ServiceClient,
  model: string,
  asked: string | undefined,
  { format, output: file }: { readonly format: 'markdown' | 'html' | 'json'; readonly output?: string },
  output: Output,
): Promise<void> {
  const id = asked ?? (await newestOf(client, model));
  const facts = (await client.get(`${reportsPath(model)}/${encodeURIComponent(id)}.json`)) as ReportFacts;
  const text =
    format === 'html'
      ? await client.getText(`${reportsPath(model)}/${encodeURIComponent(id)}.html`)
      : format === 'json'
        ? `${JSON.stringify(facts, null, 2)}\n`
        : reportMarkdown(facts);
  if (file === undefined) {
    if (!output.json) say(output, text);
    answer(output, facts);
    return;
  }
  const path = resolve(file);
  await writeFile(path, text).catch((cause: unknown) => {
    throw new AppError('file_unreadable', `cannot write ${path}: ${messageOf(cause)}`, { cause });
  });
  say(output, `Report: ${path}`);
  answer(output, { id, path });
}

async function newestOf(client: ServiceClient, model: string): Promise<string> {
  const { reports } = (await client.get(`${reportsPath(model)}?limit=1`)) as { reports: ReportEntry[] };
  const [newest] = reports;
  if (newest === undefined)
    throw new AppError('not_found', `no report of ${model} is kept: plumbline report run ${model} makes one`);
  return newest.id;
}

export async function runReport(
  client: ServiceClient,
  model: string,
  options: {
    readonly schedule?: string;
    readonly version?: string;
    readonly from?: string;
    readonly to?: string;
    readonly announce: boolean;
  },
  output: Output,
): Promise<void> {
  const { schedule, version, from, to, announce } = options;
  const document = (await client.postJson(reportsPath(model), {
    ...{ schedule, version, from, to, announce },
  })) as Linked<ReportFacts>;
  const missed = missedSentence(document);
  say(output, `${reportTitle(document)}: ${headline(document)}.`);
  say(output, document.summary);
  if (missed !== '') say(output, missed);
  for (const { text } of document.changes) say(output, `- ${text}`);
  say(output, `Report: ${document.id} (${client.url}${document.links.page ?? ''})`);
  answer(output, document);
}
