import { type Request, Router } from 'express';
import type { Backtest, PlantedShift } from '../domain/backtest.js';
import type { ModelVersion } from '../domain/model.js';
import type { Logger, Store } from '../domain/ports.js';
import type { Tuning } from '../domain/tuning.js';
import { END_OF_TIME_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { problemDocument } from './problem.js';
import { backtestBody, checked, tuningQuery } from './request-schemas.js';

const NDJSON = 'application/x-ndjson';

export interface BacktestQuestion {
  readonly period: Window | null;
  /** Policy sections as in the configuration; the one in force is always tried, too. */
  readonly policies: readonly { readonly name: string; readonly policy: Readonly<Record<string, unknown>> }[];
  readonly shifts: readonly PlantedShift[];
}

export interface PolicyPorts {
  readonly store: Pick<Store, 'listModels'>;
  readonly logger: Pick<Logger, 'error'>;
  readonly backtest: (
    model: ModelVersion,
    question: BacktestQuestion,
    run: { onProgress: (done: number, total: number) => void; signal: AbortSignal },
  ) => Promise<Backtest>;
  readonly tune: (model: ModelVersion, budgets: readonly number[]) => Promise<Tuning>;
}

/** What policies mean, before they are switched on. */
export function createPolicyRoutes({ store, logger, tune, backtest }: PolicyPorts, access: Access): Router {
  const router = Router();
  const read = access.require('read');

  async function registered(request: Request, version: string): Promise<ModelVersion> {
    const name = String(request.params.model);
    const model = (await store.listModels()).find(
      (known) => known.model === name && known.modelVersion === version,
    );
    if (model !== undefined) return model;
    throw new AppError(
      'unknown_model',
      'this model version is not registered: GET /v1/models lists those that are',
    );
  }

  router.get('/v1/models/:model/tuning', read, async (request, response) => {
    const { version, budgets } = checked(tuningQuery, request.query);
    response.json(await tune(await registered(request, version), budgets));
  });

  router.post('/v1/models/:model/backtest', read, async (request, response) => {
    const { version, from, to, policies, shifts } = checked(backtestBody, request.body);
    const model = await registered(request, version);
    const period =
      from === undefined && to === undefined ? null : { startMs: from ?? 0, endMs: to ?? END_OF_TIME_MS };
    const question = { period, policies, shifts };
    // Nobody waits any more: the work of minutes ends.
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    if (request.accepts(['application/json', NDJSON]) !== NDJSON) {
      response.json(await backtest(model, question, { onProgress: () => undefined, signal: gone.signal }));
      return;
    }
    const line = (value: object) => response.write(`${JSON.stringify(value)}\n`);
    const onProgress = (done: number, total: number) => {
      if (!response.headersSent) response.type(NDJSON);
      line({ done, total });
    };
    try {
      const result = await backtest(model, question, { onProgress, signal: gone.signal });
      if (!response.headersSent) response.type(NDJSON);
      line({ result });
      response.end();
    } catch (error) {
      if (!response.headersSent) throw error;
      if (gone.signal.aborted) return;
      // The status line is out already: the failure is the last line.
      logger.error({ err: error, path: request.path }, 'request failed');
      line({
        problem:
          error instanceof AppError
            ? problemDocument(error.code, error.message)
            : problemDocument('internal', 'the service failed: its log says why'),
      });
      response.end();
    }
  });

  return router;
}
