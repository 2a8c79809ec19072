import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import express from 'express';
import pino from 'pino';
import { AppError } from '../../../src/errors.js';
import { createProblemHandler } from '../../../src/http/problem.js';

/** Answers one request with `error`; gives the status and what was logged. */
async function answerWith(error: Error): Promise<{ status: number; logged: string[] }> {
  const logged: string[] = [];
  const app = express();
  app.get('/', (_request, _response, next) => next(error));
  app.use(createProblemHandler(pino({}, { write: (line: string) => logged.push(line) })));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { status } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return { status, logged };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('what a failed request leaves in the log', () => {
  it('a statement that the store will never run', async () => {
    const error = new AppError('store_unavailable', 'the store cannot run a statement: engine error 10', {
      retryable: false,
    });
    const { status, logged } = await answerWith(error);
    expect(status).toBe(503);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('engine error 10');
  });

  it('a bug', async () => {
    const { status, logged } = await answerWith(new TypeError('oh'));
    expect([status, logged.length]).toEqual([500, 1]);
  });

  it('nothing of an outage, which each sender meets again and again, nor of a request that was wrong', async () => {
    const outage = new AppError('store_unavailable', 'the store does not answer', { retryable: true });
    expect(await answerWith(outage)).toEqual({ status: 503, logged: [] });
    expect(await answerWith(new AppError('invalid_request', 'no'))).toEqual({ status: 400, logged: [] });
  });
});
