import { type Request, Router } from 'express';
import type { RejectedCursor, RejectedStore } from '../domain/kept-ports.js';
import type { RejectedRow, RejectReason } from '../domain/prediction.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { checked, rejectedQuery, rejectedRedrive } from './request-schemas.js';

/** Of messages in one answer. */
const MAX_BYTES = 8 * 1024 * 1024;

export interface RejectedPorts {
  readonly store: Pick<RejectedStore, 'listRejected' | 'countRejected'>;
  readonly redrive: (request: {
    readonly model?: string | undefined;
    readonly reason?: RejectReason | undefined;
    readonly kind?: RejectedRow['kind'] | undefined;
    readonly modelVersion?: string | undefined;
    readonly after?: RejectedCursor | undefined;
    readonly beforeMs: number;
  }) => Promise<{ readonly next: RejectedCursor | null }>;
  /** The real time, ms. */
  readonly nowMs: () => number;
}

/** Topics may hold anything. */
const cursorText = ({ ingestedAtMs, source, rowIndex, id }: RejectedCursor) =>
  [
    ingestedAtMs,
    source.partition,
    source.offset,
    rowIndex,
    Buffer.from(source.topic).toString('base64url'),
    id,
  ].join('.');

function cursorOf(text: string | undefined): RejectedCursor | undefined {
  if (text === undefined) return undefined;
  const [time, partition, offset, rowIndex, topic = '', id = ''] = text.split('.');
  return {
    ingestedAtMs: Number(time),
    source: {
      topic: Buffer.from(topic, 'base64url').toString(),
      partition: Number(partition),
      offset: Number(offset),
    },
    rowIndex: Number(rowIndex),
    id,
  };
}

/** What could not be accepted: to be looked at, and to be driven in again after a fix. */
export function createRejectedRoutes(ports: RejectedPorts, access: Access): Router {
  const { store, redrive, nowMs } = ports;
  const router = Router();

  /** Rows whose model is not known belong to whoever may use all. */
  function assertScope(request: Request, model: string | undefined): void {
    const isOpen =
      model === undefined || model === '' ? access.mayUseAll(request) : access.mayUse(request, model);
    if (!isOpen) throw new AppError('forbidden', 'this key is not for this model, or not for all models');
  }

  router.get('/v1/rejected', access.require('read'), async (request, response) => {
    const { after, limit, ...query } = checked(rejectedQuery, request.query);
    assertScope(request, query.model);
    const rows = await store.listRejected({ ...query, after: cursorOf(after), limit, maxBytes: MAX_BYTES });
    const last = rows.at(-1);
    response.json({
      counts: await store.countRejected(query),
      rows: rows.map(({ ingestedAtMs, ...row }) => ({ ...row, at: new Date(ingestedAtMs).toISOString() })),
      next: last === undefined ? null : cursorText(last),
    });
  });

  router.post('/v1/rejected/redrive', access.require('admin'), async (request, response) => {
    const { after, before, version, ...query } = checked(rejectedRedrive, request.body);
    assertScope(request, query.model);
    const beforeMs = before ?? nowMs();
    const { next, ...result } = await redrive({
      ...query,
      modelVersion: version,
      after: cursorOf(after),
      beforeMs,
    });
    response.json({
      ...result,
      before: new Date(beforeMs).toISOString(),
      next: next === null ? null : cursorText(next),
    });
  });

  return router;
}
