import type { NextFunction, Request, Response } from 'express';
import type { Logger } from '../domain/ports.js';
import { AppError, type ErrorCode } from '../errors.js';

/** HTTP status of each failure; those that only a start or a command can meet are 500 here. Documented in docs/errors.md. */
export const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  model_forbidden: 403,
  not_found: 404,
  unknown_model: 404,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  invalid_reference: 422,
  invalid_schema: 422,
  overloaded: 503,
  store_unavailable: 503,
  checks_failed: 500,
  config_invalid: 500,
  data_dir_in_use: 500,
  data_dir_unusable: 500,
  demo_failed: 500,
  interrupted: 500,
  file_unreadable: 500,
  migration_failed: 500,
  port_in_use: 500,
  service_unreachable: 500,
  store_misconfigured: 500,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Conflict',
  413: 'Payload too large',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  500: 'Internal error',
  503: 'Service unavailable',
};

/** The one status that every log forwarder retries comes with a hint when. */
const RETRY_AFTER_SECONDS = '2';

/** What express and its body parser refuse, in our words. */
function fromExpress(error: unknown): AppError | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  if (error.status === 413)
    return new AppError('payload_too_large', 'the body is larger than 1 MiB', { cause: error });
  if (error.status === 415)
    return new AppError('unsupported_media_type', 'this encoding is not known here', { cause: error });
  if (error.status >= 400 && error.status < 500)
    return new AppError(
      'invalid_request',
      'the request cannot be read: check its address, and that its body is JSON',
      { cause: error },
    );
  return null;
}

/** An RFC 9457 document. `code` is stable and what programs should look at. */
export function problemDocument(code: ErrorCode | 'internal', detail: string) {
  const status = code === 'internal' ? 500 : STATUS[code];
  return { type: 'about:blank', title: TITLES[status], status, code, detail };
}

/** Errors as RFC 9457 problem documents with a stable code. A bug's own words stay in the log. */
export function createProblemHandler(logger: Logger) {
  return (error: unknown, request: Request, response: Response, next: NextFunction): void => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const known = error instanceof AppError ? error : fromExpress(error);
    const status = known === null ? 500 : STATUS[known.code];
    // What the store will never answer is no outage that shows elsewhere.
    const refused = known?.code === 'store_unavailable' && !known.retryable;
    if (status === 500 || refused) logger.error({ err: error, path: request.path }, 'request failed');
    if (status === 503) response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
    if (status === 401) response.setHeader('WWW-Authenticate', challenge(request.path));
    // The rest of a body that was given up on is not read: the connection must not be used again.
    if (!request.complete) response.setHeader('Connection', 'close');
    response
      .status(status)
      .type('application/problem+json')
      .send(
        JSON.stringify(
          known === null || status === 500
            ? problemDocument('internal', 'the service failed: its log says why')
            : problemDocument(known.code, known.message),
        ),
      );
  };
}

/** People's browsers ask for a key (as the password) on pages; programs are told to bring one. In lines of their own: Chromium reads one from each. */
function challenge(path: string): string[] {
  const bearer = 'Bearer realm="plumbline"';
  return path.startsWith('/v1/') ? [bearer] : [bearer, 'Basic realm="plumbline (the key is the password)"'];
}
