import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../domain/clock.js';
import type { Episode } from '../domain/episode.js';
import type { FeatureSchema, ModelSchema, ModelVersion } from '../domain/model.js';
import type { Logger, Store, VersionKey } from '../domain/ports.js';
import {
  type Announced,
  type Announcement,
  RETRAINING_REQUESTED,
  type Retraining,
} from '../domain/retraining.js';
import { AppError } from '../errors.js';

/** Newest episodes and requests of a model that are looked at. */
const MAX_EPISODES = 10_000;
const MAX_EVENTS = 1_000;

export interface AnnouncerDeps {
  readonly store: Pick<
    Store,
    | 'listModels'
    | 'saveModel'
    | 'deleteModel'
    | 'currentReference'
    | 'listEpisodes'
    | 'listEvents'
    | 'listRetrainings'
    | 'saveRetraining'
  >;
  /** Real time. */
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Pick<Logger, 'info'>;
  /** Called after a schema was saved, so that its events are taken at once. */
  readonly modelSaved: () => Promise<void>;
  /** Declared features as the model's privacy policy has them; as they are when left out. Throws invalid_schema. */
  readonly treatDeclared?: (
    model: string,
    declared: readonly FeatureSchema[],
    versions: readonly ModelVersion[],
  ) => readonly FeatureSchema[];
}

/** What a caller can declare: the rest was read off the reference, or seen in production. */
function declaredPart({ task, features, probability }: ModelSchema) {
  return {
    task,
    features: features.map(({ name, kind, privacy }) => ({
      name,
      kind,
      ...(privacy === undefined ? {} : { privacy }),
    })),
    ...(probability === false ? { probability } : {}),
  };
}

/**
 * Registers a version by its schema, and links it to the episodes that it was trained for. Announcing the same again changes nothing,
 * and completes what a crash has cut off.
 */
export function createAnnouncer(deps: AnnouncerDeps) {
  const { store, clock } = deps;

  /** Throws not_found for an id that is none of the model's, invalid_request for an episode of this very version. */
  async function namedEpisodes(
    { model, modelVersion }: VersionKey,
    names: readonly string[],
    episodes: readonly Episode[],
  ): Promise<Episode[]> {
    const found = new Map<string, Episode>();
    for (const name of names) {
      const [event] = name.startsWith('evt_') ? await store.listEvents({ id: name, limit: 1 }) : [];
      const id = event?.event.model === model ? event.event.episodeId : name;
      const episode = episodes.find((known) => known.id === id);
      if (episode === undefined)
        throw new AppError(
          'not_found',
          `retrainedFor: ${model} has no episode or webhook event ${name}: GET /v1/models/{model}/episodes lists episodes`,
        );
      if (episode.modelVersion === modelVersion)
        throw new AppError(
          'invalid_request',
          `retrainedFor: the episode ${id} is one of version ${modelVersion} itself: announce the version that was trained for it`,
        );
      found.set(id, episode);
    }
    return [...found.values()];
  }

  /** Those that asked for retraining, were heard, and wait for a version. */
  async function waitingEpisodes(
    { model, modelVersion }: VersionKey,
    registeredAtMs: number,
    episodes: readonly Episode[],
    known: readonly Retraining[],
  ): Promise<Episode[]> {
    const requests = await store.listEvents({ model, state: 'delivered', limit: MAX_EVENTS });
    const asked = new Set(
      requests
        .filter(({ event }) => event.type === RETRAINING_REQUESTED && event.createdAtMs <= registeredAtMs)
        .map(({ event }) => event.episodeId),
    );
    const answered = new Set(known.map(({ episodeId }) => episodeId));
    return episodes.filter(
      (episode) =>
        asked.has(episode.id) && !answered.has(episode.id) && episode.modelVersion !== modelVersion,
    );
  }

  /** Throws invalid_schema where nothing tells it. */
  function schemaFor(
    { model, schema }: Announcement,
    versions: readonly ModelVersion[],
    answered: readonly Episode[],
  ): ModelSchema {
    if (schema !== undefined) {
      const features = deps.treatDeclared?.(model, schema.features, versions) ?? schema.features;
      return {
        task: schema.task,
        features,
        ...(schema.probability === false ? { probability: false } : {}),
      };
    }
    const newest = versions.toSorted((a, b) => b.registeredAtMs - a.registeredAtMs)[0];
    const like =
      versions.find((known) => answered.some((episode) => episode.modelVersion === known.modelVersion)) ??
      newest;
    if (like === undefined)
      throw new AppError(
        'invalid_schema',
        `task, features: ${model} has no other version to take them from: declare them`,
      );
    // labels and latencies are compared only where the version's own reference has them
    const { label: _, latency: __, latencyFromMs: ___, ...rest } = like.schema;
    return rest;
  }

  /** Saves the version's schema unless it is known; tells whether it was. Throws invalid_schema. */
  async function saveSchema(
    announcement: Announcement,
    versions: readonly ModelVersion[],
    answered: readonly Episode[],
    nowMs: number,
  ): Promise<{ model: ModelVersion; saved: boolean }> {
    const { model, modelVersion } = announcement;
    const key = { model, modelVersion };
    const earlier = versions.find((known) => known.modelVersion === modelVersion);
    if (earlier !== undefined && announcement.schema === undefined) return { model: earlier, saved: false };
    const schema = schemaFor(announcement, versions, answered);
    if (earlier !== undefined && isDeepStrictEqual(declaredPart(earlier.schema), declaredPart(schema)))
      return { model: earlier, saved: false };
    if (earlier !== undefined && (await store.currentReference(key)) !== null)
      throw new AppError(
        'invalid_schema',
        `version ${modelVersion} of ${model} has a reference with another schema: register a new version, or a new reference`,
      );
    // What a deletion may have left behind must not pass for this model's; rows are the senders'.
    if (versions.length === 0) await store.deleteModel(model, { keepRows: true });
    const saved: ModelVersion = { ...key, schema, registeredAtMs: nowMs };
    await store.saveModel(saved);
    await deps.modelSaved();
    return { model: saved, saved: true };
  }

  /**
   * Throws AppError `not_found` (no such episode), `invalid_request`, `invalid_schema` before anything is stored, and what the
   * registration of a reference throws.
   */
  async function announce(announcement: Announcement): Promise<Announced> {
    const { model, modelVersion, retrainedFor, reference, by } = announcement;
    const key = { model, modelVersion };
    const versions = (await store.listModels()).filter((known) => known.model === model);
    const earlier = versions.find((known) => known.modelVersion === modelVersion);
    const episodes = versions.length === 0 ? [] : await store.listEpisodes({ model, limit: MAX_EPISODES });
    const known = versions.length === 0 ? [] : await store.listRetrainings(model);
    const nowMs = clock.now();
    const answered =
      retrainedFor === undefined
        ? await waitingEpisodes(key, earlier?.registeredAtMs ?? nowMs, episodes, known)
        : await namedEpisodes(key, retrainedFor, episodes);
    const version = reference?.tellsSchema ? null : await saveSchema(announcement, versions, answered, nowMs);
    const registered = await reference?.register();
    const saved = registered?.model ?? version?.model;
    if (saved === undefined) throw new TypeError('neither a schema nor a reference was registered');

    const own = known.filter((retraining) => retraining.modelVersion === modelVersion);
    const added = answered
      .filter(({ id }) => !own.some(({ episodeId }) => episodeId === id))
      .map(({ id }): Retraining => ({ ...key, episodeId: id, announcedAtMs: nowMs, by }));
    for (const retraining of added) {
      await store.saveRetraining(retraining);
      deps.logger.info({ ...retraining }, 'retrained version announced');
    }
    return {
      model: saved,
      saved: registered !== undefined || version?.saved === true,
      ...(registered === undefined ? {} : { reference: registered.reference }),
      retrainings: [...added, ...own],
    };
  }

  return announce;
}

export type Announcer = ReturnType<typeof createAnnouncer>;
