import { type Request, type Response, Router } from 'express';
import { AppError } from '../errors.js';
import type { SidecarMetrics } from './metrics.js';
import type { SpooledRequest } from './records.js';
import type { Spool } from './spool.js';

const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Of all bodies that are being read or written to disk. */
const MAX_HELD_BYTES = 4 * MAX_BODY_BYTES;

/** Where the service takes rows. */
const PATHS = ['/v1/ingest', '/v1/labels', '/v1/cloudevents', '/v1/logs'];
/** What says what a body is; CloudEvents have attributes in headers, too. */
const HEADERS = /^(content-type|content-encoding|ce-[\w-]+)$/;

/**
 * Path and query of a request that the routes below take; null of any other. What is read back from a disk need not be what a sender sent, and
 * is sent with the service's key.
 */
export function targetOf({ path, headers }: SpooledRequest): string | null {
  try {
    const { origin, pathname, search } = new URL(path, 'http://sidecar');
    // As Express takes them, in any case and with a slash at the end.
    const isOurs = origin === 'http://sidecar' && PATHS.includes(pathname.toLowerCase().replace(/\/$/, ''));
    if (!isOurs || !Object.keys(headers).every((name) => HEADERS.test(name))) return null;
    // Throws where one cannot be sent.
    new Headers(headers);
    return pathname + search;
  } catch {
    return null;
  }
}

/** Takes what the service would take, as it is, and answers 202 once it is on disk. The body is not looked into. */
export function createSpoolRoutes(spool: Pick<Spool, 'append'>, metrics: SidecarMetrics): Router {
  const router = Router();
  let held = 0;

  const take = async (request: Request, response: Response): Promise<void> => {
    const { pathname, search } = new URL(request.originalUrl, 'http://sidecar');
    // Also of a request line that names the host.
    const target = pathname + search;
    let own = 0;
    response.once('close', () => {
      held -= own;
    });
    const body = await bodyOf(request, (bytes) => {
      // One body always fits.
      if (held > own && held + bytes > MAX_HELD_BYTES) return false;
      own += bytes;
      held += bytes;
      return true;
    });
    const headers = Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) =>
        HEADERS.test(name) && typeof value === 'string' ? [[name, value]] : [],
      ),
    );
    try {
      await spool.append({ path: target, headers, body });
    } catch (error) {
      metrics.received.inc({ outcome: 'turned_away' });
      throw error;
    }
    metrics.received.inc({ outcome: 'kept' });
    // Exporters of OpenTelemetry read the answer: an empty one says that all was taken.
    if (request.path === '/v1/logs') {
      const isProtobuf = headers['content-type']?.startsWith('application/x-protobuf') === true;
      if (isProtobuf) response.type('application/x-protobuf').send(Buffer.alloc(0));
      else response.json({});
      return;
    }
    response.status(202).json({ status: 'kept', bytes: body.length });
  };
  router.post(PATHS, take);
  router.put(PATHS, take);
  return router;
}

/** As it came, still compressed: the service undoes that. Throws payload_too_large, overloaded, invalid_request. */
async function bodyOf(request: Request, hold: (bytes: number) => boolean): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  let fits = true;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      bytes += piece.length;
      fits = bytes <= MAX_BODY_BYTES && hold(piece.length);
      if (!fits) break;
      pieces.push(piece);
    }
  } catch (cause) {
    throw new AppError('invalid_request', 'the sender went away in the middle of the body', { cause });
  }
  if (bytes > MAX_BODY_BYTES)
    throw new AppError(
      'payload_too_large',
      `the body is larger than ${MAX_BODY_BYTES} bytes as it is sent: send it in smaller parts`,
    );
  if (!fits)
    throw new AppError(
      'overloaded',
      `bodies of more than ${MAX_HELD_BYTES} bytes are in work: send again later`,
      { retryable: true },
    );
  return Buffer.concat(pieces);
}
