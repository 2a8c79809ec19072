import { type Request, Router, urlencoded } from 'express';
import type { EpisodeMark, Feedback } from '../domain/feedback.js';
import type { Access } from './access.js';
import { checked, episodeMark, feedbackQuery } from './request-schemas.js';

export interface FeedbackPorts {
  readonly mark: (mark: EpisodeMark) => Promise<void>;
  readonly read: (model: string, seed: number | null) => Promise<Feedback>;
  /** The real time, ms. */
  readonly nowMs: () => number;
}

/** Marks of episodes as true or false, from clients and from the page's buttons, and the detectors' records that follow. */
export function createFeedbackRoutes(ports: FeedbackPorts, access: Access): Router {
  const router = Router();

  async function save(request: Request): Promise<EpisodeMark> {
    const { mark, note } = checked(episodeMark, request.body);
    const saved = {
      model: String(request.params.model),
      episodeId: String(request.params.episode),
      mark,
      note,
      atMs: ports.nowMs(),
    };
    await ports.mark(saved);
    return saved;
  }

  router.put(
    '/v1/models/:model/episodes/:episode/mark',
    access.require('admin'),
    async (request, response) => {
      response.json(await save(request));
    },
  );

  // A form of the page: requests from other sites are turned away with all writing ones.
  router.post(
    '/models/:model/versions/:version/episodes/:episode/mark',
    access.require('admin'),
    urlencoded({ extended: false, limit: '16kb' }),
    async (request, response) => {
      await save(request);
      const names = [request.params.model, request.params.version].map((name) =>
        encodeURIComponent(String(name)),
      );
      response.redirect(303, `/models/${names[0]}/versions/${names[1]}#episodes`);
    },
  );

  router.get('/v1/models/:model/feedback', access.require('read'), async (request, response) => {
    const { seed } = checked(feedbackQuery, request.query);
    response.json(await ports.read(String(request.params.model), seed ?? null));
  });

  return router;
}
