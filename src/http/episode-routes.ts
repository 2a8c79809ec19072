import { type Request, Router, urlencoded } from 'express';
import type { ActionScope } from '../domain/episode-action.js';
import type { EpisodeDesk } from '../domain/episode-desk.js';
import type { Store } from '../domain/ports.js';
import type { JudgedRetraining } from '../domain/retraining.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import {
  askedBody,
  askedQuery,
  askedScopeQuery,
  episodeForm,
  episodesQuery,
  modelSnoozeBody,
  modelSnoozeForm,
  snoozeBody,
} from './episode-schemas.js';
import { checked } from './request-schemas.js';

export interface EpisodePorts {
  readonly store: Pick<Store, 'listModels'>;
  readonly desk: EpisodeDesk;
  /** Which versions were trained for a model's episodes, and what became of it. */
  readonly retrainings: (model: string) => Promise<readonly JudgedRetraining[]>;
  /** Where people reach the page, without a slash at the end. */
  readonly publicUrl: string;
}

/** Episodes, what people do about them, and what keeps a model's alarms silent. */
export function createEpisodeRoutes(
  { store, desk, retrainings, publicUrl }: EpisodePorts,
  access: Access,
): Router {
  const router = Router();
  const read = access.require('read');
  const admin = access.require('admin');

  async function registered(request: Request): Promise<string> {
    const model = String(request.params.model);
    if ((await store.listModels()).some((known) => known.model === model)) return model;
    throw new AppError('unknown_model', 'this model is not registered: GET /v1/models lists those that are');
  }

  const namesOf = (request: Request) => ({
    model: String(request.params.model),
    id: String(request.params.episode),
  });

  const askedBy = (request: Request, { by, note }: { by?: string | undefined; note: string }) => {
    const via = access.actorOf(request);
    return { by: by === undefined || by === '' ? via : by, via, note };
  };

  async function answersOf(model: string) {
    const all = await retrainings(model);
    return (id: string) =>
      all
        .filter(({ episodeId }) => episodeId === id)
        .map(({ modelVersion, announcedAtMs, by, cure }) => ({ modelVersion, announcedAtMs, by, cure }));
  }

  router.get('/v1/models/:model/episodes', read, async (request, response) => {
    const { state, status, limit } = checked(episodesQuery, request.query);
    const model = await registered(request);
    const answers = await answersOf(model);
    const wantsPending = state !== 'closed' && (status === undefined || status === 'pending');
    const episodes = status === 'pending' ? [] : await desk.list({ model, state, status, limit });
    response.json({
      episodes: episodes.map((episode) => ({ ...episode, retrainings: answers(episode.id) })),
      pending: wantsPending ? await desk.pendingOf(model) : [],
    });
  });

  router.get('/v1/models/:model/episodes/:episode', read, async (request, response) => {
    const { model, id } = namesOf(request);
    const episode = await desk.read(model, id);
    const answers = await answersOf(model);
    const page = `${publicUrl}/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(episode.modelVersion)}`;
    response.json({
      ...episode,
      retrainings: answers(id),
      links: { page, episode: `${page}/episodes/${encodeURIComponent(id)}`, reports: `${publicUrl}/reports` },
    });
  });

  const acknowledgement = '/v1/models/:model/episodes/:episode/acknowledgement';
  router.put(acknowledgement, admin, async (request, response) => {
    const { model, id } = namesOf(request);
    response.json(await desk.acknowledge(model, id, askedBy(request, checked(askedBody, request.body))));
  });
  router.delete(acknowledgement, admin, async (request, response) => {
    const { model, id } = namesOf(request);
    response.json(await desk.unacknowledge(model, id, askedBy(request, checked(askedQuery, request.query))));
  });

  const endOf = (end: { until?: number | undefined; for?: number | undefined }) =>
    end.until ?? desk.nowMs() + (end.for ?? 0);
  const aboutEpisode = (request: Request): ActionScope => {
    const { model, id } = namesOf(request);
    return { model, category: null, episodeId: id };
  };

  const snooze = '/v1/models/:model/episodes/:episode/snooze';
  router.put(snooze, admin, async (request, response) => {
    const body = checked(snoozeBody, request.body);
    response.json(await desk.snooze(aboutEpisode(request), endOf(body), askedBy(request, body)));
  });
  router.delete(snooze, admin, async (request, response) => {
    const asked = askedBy(request, checked(askedQuery, request.query));
    response.json(await desk.unsnooze(aboutEpisode(request), asked));
  });

  router.get('/v1/models/:model/snooze', read, async (request, response) => {
    response.json(await desk.silenceOf(await registered(request)));
  });
  router.put('/v1/models/:model/snooze', admin, async (request, response) => {
    const { category = null, ...body } = checked(modelSnoozeBody, request.body);
    const scope = { model: await registered(request), category, episodeId: null };
    response.json(await desk.snooze(scope, endOf(body), askedBy(request, body)));
  });
  router.delete('/v1/models/:model/snooze', admin, async (request, response) => {
    const { category = null, ...asked } = checked(askedScopeQuery, request.query);
    const scope = { model: await registered(request), category, episodeId: null };
    response.json(await desk.unsnooze(scope, askedBy(request, asked)));
  });

  // A form of the page: requests from other sites are turned away with all writing ones.
  router.post(
    '/models/:model/versions/:version/episodes/:episode',
    admin,
    urlencoded({ extended: false, limit: '16kb' }),
    async (request, response) => {
      const form = checked(episodeForm, request.body);
      const { model, id } = namesOf(request);
      const asked = askedBy(request, form);
      const scope = aboutEpisode(request);
      if (form.action === 'acknowledge') await desk.acknowledge(model, id, asked);
      else if (form.action === 'unacknowledge') await desk.unacknowledge(model, id, asked);
      else if (form.action === 'snooze') await desk.snooze(scope, endOf(form), asked);
      else await desk.unsnooze(scope, asked);
      const [name, version, episode] = [model, String(request.params.version), id].map(encodeURIComponent);
      response.redirect(303, `/models/${name}/versions/${version}/episodes/${episode}`);
    },
  );

  router.post(
    '/models/:model/versions/:version/snooze',
    admin,
    urlencoded({ extended: false, limit: '16kb' }),
    async (request, response) => {
      const form = checked(modelSnoozeForm, request.body);
      const category = form.category === '' ? null : form.category;
      const scope = { model: await registered(request), category, episodeId: null };
      if (form.action === 'snooze') await desk.snooze(scope, endOf(form), askedBy(request, form));
      else await desk.unsnooze(scope, askedBy(request, form));
      const [name, version] = [scope.model, String(request.params.version)].map(encodeURIComponent);
      response.redirect(303, `/models/${name}/versions/${version}#episodes`);
    },
  );

  return router;
}
