import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import type { EpisodeDetail } from '../domain/episode-desk.js';
import type { HistoryEntry } from '../domain/episode-history.js';
import { EPISODE_CATEGORIES } from '../domain/verdict.js';
import { type CommonOptions, refuse } from './command-options.js';
import { answer, type Output, say, table } from './output.js';
import { createServiceClient, type ServiceClient } from './service-client.js';

const modelPath = (model: string) => `/v1/models/${encodeURIComponent(model)}`;
const episodePath = (model: string, id: string) => `${modelPath(model)}/episodes/${encodeURIComponent(id)}`;
const time = (ms: number) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

const done = z.looseObject({ by: z.string(), untilMs: z.number().nullable() });

interface Asked {
  readonly by?: string | undefined;
  readonly note?: string | undefined;
}

const given = (fields: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
const withQuery = (path: string, fields: Record<string, string | undefined>) => {
  const query = new URLSearchParams(given(fields)).toString();
  return query === '' ? path : `${path}?${query}`;
};

const KIND_WORDS: Readonly<Record<HistoryEntry['kind'], string>> = {
  pending: 'first drifted window',
  opened: 'opened',
  severity_raised: 'got worse',
  acknowledged: 'acknowledged',
  unacknowledged: 'no longer acknowledged',
  snoozed: 'snoozed',
  unsnoozed: 'no longer snoozed',
  held: 'not told for now',
  released: 'told after all',
  resolved: 'resolved',
};

/** An episode for people: what is going on, what drove it, and what was done about it. */
export function episodeText(episode: EpisodeDetail): string {
  const { silence, acknowledgement, evidence, history } = episode;
  return [
    episode.sentence,
    `Status: ${episode.status}${acknowledgement === null ? '' : `, by ${acknowledgement.by}`}${
      silence === null
        ? ''
        : `; nobody is told until ${time(silence.untilMs)} (${silence.reason}${silence.by === '' ? '' : ` by ${silence.by}`})`
    }.`,
    ...(episode.performanceSentence === undefined ? [] : [episode.performanceSentence]),
    ...(episode.why ?? []).map((reason) => `- ${reason}`),
    '',
    table(
      ['feature', 'test', 'windows', 'largest effect', 'counts from'],
      evidence
        .slice(0, 20)
        .map(({ feature, detector, windows, peak, minimumEffect }) => [
          feature === '' ? '(whole rows)' : feature,
          detector,
          windows,
          peak.effect.toFixed(3),
          minimumEffect,
        ]),
    ),
    '',
    table(
      ['when', 'what', 'of', 'by', 'until', 'note'],
      history.map(({ atMs, kind, scope, by, untilMs, note }) => [
        time(atMs),
        KIND_WORDS[kind],
        scope,
        by,
        untilMs === null ? '' : time(untilMs),
        note,
      ]),
    ),
  ].join('\n');
}

export async function showEpisode(
  client: Pick<ServiceClient, 'get'>,
  { model, id }: { model: string; id: string },
  output: Output,
): Promise<void> {
  const episode = (await client.get(episodePath(model, id))) as EpisodeDetail;
  say(output, episodeText(episode));
  answer(output, episode);
}

export async function acknowledgeEpisode(
  client: Pick<ServiceClient, 'putJson' | 'delete'>,
  { model, id, takeBack, by, note }: { model: string; id: string; takeBack: boolean } & Asked,
  output: Output,
): Promise<void> {
  const path = `${episodePath(model, id)}/acknowledgement`;
  const document = takeBack
    ? await client.delete(withQuery(path, { by, note }))
    : await client.putJson(path, given({ by, note }));
  say(
    output,
    takeBack
      ? `Episode ${id} is not acknowledged any more.`
      : `Episode ${id} is acknowledged by ${done.parse(document).by}.`,
  );
  answer(output, document);
}

export interface SnoozeOptions extends Asked {
  readonly model: string;
  /** All of the model's, or of the category's, when left out. */
  readonly id?: string | undefined;
  readonly category?: string | undefined;
  readonly for?: string | undefined;
  readonly until?: string | undefined;
}

const snoozePath = ({ model, id }: SnoozeOptions) =>
  `${id === undefined ? modelPath(model) : episodePath(model, id)}/snooze`;

/** What is wrong with the scope of a snooze; null if nothing is. */
export function scopeProblem({ id, category }: Pick<SnoozeOptions, 'id' | 'category'>): string | null {
  return id !== undefined && category !== undefined
    ? 'give an episode or --category, not both: an episode has one category'
    : null;
}

/** The same of a snooze and its end. */
export function snoozeProblem(options: Omit<SnoozeOptions, 'model'>): string | null {
  if ((options.until === undefined) === (options.for === undefined))
    return 'give --for or --until: how long, or until when nobody is to be told';
  return scopeProblem(options);
}

const scopeWords = ({ model, id, category }: SnoozeOptions) =>
  id !== undefined ? `Episode ${id}` : category === undefined ? `All of ${model}` : `${category} of ${model}`;

export async function snooze(
  client: Pick<ServiceClient, 'putJson'>,
  options: SnoozeOptions,
  output: Output,
): Promise<void> {
  const { category, until, by, note } = options;
  const document = await client.putJson(
    snoozePath(options),
    given({ category, until, for: options.for, by, note }),
  );
  say(output, `${scopeWords(options)} is snoozed until ${time(done.parse(document).untilMs ?? 0)}.`);
  answer(output, document);
}

export async function unsnooze(
  client: Pick<ServiceClient, 'delete'>,
  options: SnoozeOptions,
  output: Output,
): Promise<void> {
  const { category, by, note } = options;
  const document = await client.delete(withQuery(snoozePath(options), { category, by, note }));
  const { model, id } = options;
  say(
    output,
    id !== undefined || category !== undefined
      ? `${scopeWords(options)} is not snoozed any more.`
      : `${model} as a whole is not snoozed any more; kinds and episodes that are: plumbline policy show ${model}.`,
  );
  answer(output, document);
}

/** Reads a name of the command line. An empty one is a variable that was not set, and must not pass for one that was left out. */
function nameOf(what: string, text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError(`it is empty: give ${what}.`);
  return text;
}
export const modelName = (text: string): string => nameOf("the model's name", text);
export const episodeId = (text: string): string =>
  nameOf('the id of an episode, as "plumbline episodes list" shows it', text);

/** Adds `episodes show`, `ack`, `unack`, `snooze` and `unsnooze`. */
export function addEpisodeActionCommands(
  episodes: Command,
  { url, key, json, outputOf }: CommonOptions,
): void {
  const by = () => new Option('--by <name>', 'who asks for it').env('USER');
  const note = () => new Option('--note <text>', 'why');
  const category = () => new Option('--category <kind>', 'all of one kind').choices(EPISODE_CATEGORIES);
  const common = (command: Command) => command.addOption(url()).addOption(key()).addOption(json());

  common(
    episodes
      .command('show')
      .description('an episode with its history, and what drove it, ranked')
      .argument('<model>', 'its name', modelName)
      .argument('<episode>', 'its id', episodeId),
  ).action((model: string, id: string, options) =>
    showEpisode(createServiceClient(options), { model, id }, outputOf(options)),
  );
  for (const [name, takeBack, description] of [
    ['ack', false, 'say that somebody looks after an open episode'],
    ['unack', true, 'take that back'],
  ] as const)
    common(
      episodes
        .command(name)
        .description(description)
        .argument('<model>', 'its name', modelName)
        .argument('<episode>', 'its id', episodeId)
        .addOption(by())
        .addOption(note()),
    ).action((model: string, id: string, { url, key, json, ...options }) =>
      acknowledgeEpisode(
        createServiceClient({ url, key }),
        { model, id, takeBack, ...options },
        outputOf({ json }),
      ),
    );
  common(
    episodes
      .command('snooze')
      .description('tell nobody of an episode, of a kind, or of a whole model for a while')
      .argument('<model>', 'its name', modelName)
      .argument('[episode]', 'its id; all of the model when left out', episodeId)
      .addOption(category())
      .option('--for <length>', 'how long, e.g. 30m, 8h, 2d')
      .option('--until <time>', 'until when, e.g. 2026-01-01T08:00:00Z')
      .addOption(by())
      .addOption(note()),
  ).action((model: string, id: string | undefined, { url, key, json, ...options }, command: Command) => {
    refuse(command, snoozeProblem({ id, ...options }));
    return snooze(createServiceClient({ url, key }), { model, id, ...options }, outputOf({ json }));
  });
  common(
    episodes
      .command('unsnooze')
      .description('end a snooze')
      .argument('<model>', 'its name', modelName)
      .argument('[episode]', 'its id; that of the model when left out', episodeId)
      .addOption(category())
      .addOption(by())
      .addOption(note()),
  ).action((model: string, id: string | undefined, { url, key, json, ...options }, command: Command) => {
    refuse(command, scopeProblem({ id, ...options }));
    return unsnooze(createServiceClient({ url, key }), { model, id, ...options }, outputOf({ json }));
  });
}
