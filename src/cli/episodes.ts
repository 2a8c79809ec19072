import { type Command, Option } from 'commander';
import { z } from 'zod';
import { EPISODE_STATUSES } from '../domain/episode-history.js';
import type { CommonOptions } from './command-options.js';
import { addEpisodeActionCommands, episodeId, modelName } from './episode-actions.js';
import { answer, type Output, say, table } from './output.js';
import { createServiceClient, type ServiceClient } from './service-client.js';

const modelPath = (model: string) => `/v1/models/${encodeURIComponent(model)}`;

const listed = z.object({
  episodes: z.array(
    z.looseObject({
      id: z.string(),
      modelVersion: z.string(),
      category: z.string(),
      state: z.string(),
      status: z.string().optional(),
      silence: z.looseObject({ reason: z.string() }).nullish(),
      firstWindow: z.object({ startMs: z.number() }),
      drivers: z.array(z.looseObject({ feature: z.string(), detector: z.string() })),
      retrainings: z
        .array(z.looseObject({ modelVersion: z.string(), cure: z.looseObject({ verdict: z.string() }) }))
        .default([]),
    }),
  ),
  pending: z
    .array(
      z.looseObject({
        id: z.string(),
        modelVersion: z.string(),
        category: z.string(),
        drifted: z.number(),
        needed: z.number(),
      }),
    )
    .default([]),
});
const figure = z.object({ value: z.number(), low: z.number().nullable(), high: z.number().nullable() });
const feedback = z.object({
  detectors: z.array(
    z.object({
      category: z.string(),
      detector: z.string(),
      trueEpisodes: z.number(),
      falseEpisodes: z.number(),
      unmarked: z.number(),
      precision: figure.nullish(),
    }),
  ),
  trust: z.array(z.object({ detector: z.string(), category: z.string(), draw: z.number() })).nullable(),
  marks: z.array(z.looseObject({ episodeId: z.string(), mark: z.string(), note: z.string() })),
});
const percent = (value: number | null) => (value === null ? '?' : `${(100 * value).toFixed(0)} %`);

export async function listEpisodes(
  client: Pick<ServiceClient, 'get'>,
  { model, state, status, limit }: { model: string; state?: string; status?: string; limit: string },
  output: Output,
): Promise<void> {
  const query = new URLSearchParams({
    limit,
    ...(state === undefined ? {} : { state }),
    ...(status === undefined ? {} : { status }),
  });
  const document = listed.parse(await client.get(`${modelPath(model)}/episodes?${query}`));
  const { marks } = feedback.parse(await client.get(`${modelPath(model)}/feedback`));
  const markOf = new Map(marks.map(({ episodeId, mark }) => [episodeId, mark]));
  if (document.episodes.length === 0) say(output, 'No episode.');
  else
    say(
      output,
      table(
        ['id', 'version', 'kind', 'state', 'since', 'marked', 'driven by', 'retrained as'],
        document.episodes.map((episode) => [
          episode.id,
          episode.modelVersion,
          episode.category,
          `${episode.status ?? episode.state}${episode.silence == null ? '' : ` (${episode.silence.reason})`}`,
          new Date(episode.firstWindow.startMs).toISOString(),
          markOf.get(episode.id) ?? '',
          episode.drivers
            .slice(0, 3)
            .map(({ feature, detector }) => `${feature || 'whole rows'} (${detector})`)
            .join(', '),
          episode.retrainings
            .map(({ modelVersion, cure }) => `${modelVersion} (${cure.verdict.replace('_', ' ')})`)
            .join(', '),
        ]),
      ),
    );
  for (const { modelVersion, category, drifted, needed } of document.pending)
    say(
      output,
      `Pending: ${category} in version ${modelVersion}, ${drifted} drifted of ${needed} that open an episode.`,
    );
  answer(output, {
    pending: document.pending,
    episodes: document.episodes.map((episode) => ({ ...episode, mark: markOf.get(episode.id) ?? null })),
  });
}

export async function markEpisode(
  client: Pick<ServiceClient, 'putJson'>,
  { model, id, mark, note }: { model: string; id: string; mark: string; note?: string },
  output: Output,
): Promise<void> {
  const document = await client.putJson(`${modelPath(model)}/episodes/${encodeURIComponent(id)}/mark`, {
    mark: mark === 'none' ? null : mark,
    ...(note === undefined ? {} : { note }),
  });
  say(output, mark === 'none' ? `Episode ${id} is not marked any more.` : `Episode ${id} is marked ${mark}.`);
  answer(output, document);
}

export async function showPrecision(
  client: Pick<ServiceClient, 'get'>,
  { model, seed }: { model: string; seed?: string },
  output: Output,
): Promise<void> {
  const query = seed === undefined ? '' : `?${new URLSearchParams({ seed })}`;
  const document = feedback.parse(await client.get(`${modelPath(model)}/feedback${query}`));
  if (document.detectors.length === 0) say(output, 'No episode so far: there is nothing to mark.');
  else
    say(
      output,
      table(
        ['kind', 'detector', 'true', 'false', 'not marked', 'precision', '95 %'],
        document.detectors.map(({ precision, ...record }) => [
          record.category,
          record.detector,
          record.trueEpisodes,
          record.falseEpisodes,
          record.unmarked,
          precision == null ? '' : percent(precision.value),
          precision == null ? '' : `${percent(precision.low)} – ${percent(precision.high)}`,
        ]),
      ),
    );
  if (document.trust !== null && document.trust.length > 0)
    say(
      output,
      `By one draw, trust first: ${document.trust.map(({ detector, category }) => `${detector} (${category})`).join(', ')}`,
    );
  answer(output, document);
}

export function addEpisodeCommands(program: Command, common: CommonOptions): void {
  const { url, key, json, outputOf } = common;
  const episodes = program
    .command('episodes')
    .alias('episode')
    .description('what was alarmed about, and what it was worth');
  episodes
    .command('list')
    .description(
      "list a model's episodes, open ones first, with their marks and the versions trained for them",
    )
    .argument('<model>', 'its name', modelName)
    .addOption(new Option('--state <state>', 'only these').choices(['open', 'closed']))
    .addOption(new Option('--status <status>', 'only these').choices(EPISODE_STATUSES))
    .option('--limit <episodes>', 'episodes to show', '20')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((model: string, { url, key, json, ...options }) =>
      listEpisodes(createServiceClient({ url, key }), { model, ...options }, outputOf({ json })),
    );
  addEpisodeActionCommands(episodes, common);
  episodes
    .command('mark')
    .description('say whether an episode was true, or a false alarm')
    .argument('<model>', 'its name', modelName)
    .argument('<episode>', 'its id', episodeId)
    .addArgument(episodes.createArgument('<mark>', 'what it was').choices(['true', 'false', 'none']))
    .option('--note <text>', 'for whoever reads it later')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((model: string, id: string, mark: string, { url, key, json, ...options }) =>
      markEpisode(createServiceClient({ url, key }), { model, id, mark, ...options }, outputOf({ json })),
    );
  episodes
    .command('precision')
    .description("show how often each detector's alarms were true, by the marks")
    .argument('<model>', 'its name', modelName)
    .option('--seed <number>', 'also rank whom to trust, by Thompson sampling with this seed')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((model: string, { url, key, json, ...options }) =>
      showPrecision(createServiceClient({ url, key }), { model, ...options }, outputOf({ json })),
    );
}
