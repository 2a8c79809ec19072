import type { NextFunction, Request, Response } from 'express';
import type { Logger } from '../domain/ports.js';
import { AppError, type ErrorCode } from '../errors.js';

/** HTTP status of each failure that a client can meet; all others are 500. */
const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  invalid_request: 400,
  invalid_reference: 422,
  invalid_schema: 422,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  unknown_model: 404,
  payload_too_large: 413,
  unsupported_media_type: 415,
  overloaded: 503,
  store_unavailable: 503,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  413: 'Payload too large',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  500: 'Internal error',
  503: 'Service unavailable',
};

/** The one status that every log forwarder retries comes with a hint when. */
const RETRY_AFTER_SECONDS = '2';

/** What express's own body parser refuses, in our words. */
function fromBodyParser(error: unknown): AppError | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  if (error.status === 413)
    return new AppError('payload_too_large', 'the body is larger than 1 MiB', { cause: error });
  if (error.status === 415)
    return new AppError('unsupported_media_type', 'this encoding is not known here', { cause: error });
  if (error.status >= 400 && error.status < 500)
    return new AppError('invalid_request', 'the request cannot be read: is its body JSON?', { cause: error });
  return null;
}

/** Errors as RFC 9457 problem documents with a stable code. A bug's own words stay in the log. */
export function createProblemHandler(logger: Logger) {
  return (error: unknown, request: Request, response: Response, next: NextFunction): void => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const known = error instanceof AppError ? error : fromBodyParser(error);
    const status = (known === null ? undefined : STATUS[known.code]) ?? 500;
    if (status === 500) logger.error({ error, path: request.path }, 'request failed');
    if (status === 503) response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
    if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="plumbline"');
    // The rest of a body that was given up on is not read: the connection must not be used again.
    if (status === 413) response.setHeader('Connection', 'close');
    response
      .status(status)
      .type('application/problem+json')
      .send(
        JSON.stringify({
          type: 'about:blank',
          title: TITLES[status],
          status,
          code: known?.code ?? 'internal',
          detail: status === 500 ? 'the service failed; its log says why' : known?.message,
        }),
      );
  };
}
