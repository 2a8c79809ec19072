import type { QuerySource } from '../domain/reference-ports.js';
import { AppError, messageOf } from '../errors.js';
import type { StoreClient } from './client.js';
import { engineErrorCode } from './store-error.js';

const LIMITS = { timeoutMs: 600_000, maxRows: 50_000_000, maxBytes: 2 * 1024 * 1024 * 1024 };
const TOO_MANY_ROWS_OR_BYTES = 396;
const READONLY = 164;
/** Time limit and memory: the server's to say, and perhaps otherwise later. */
const NOT_THE_QUERY: ReadonlySet<number> = new Set([159, 241, 243]);

/**
 * Queries of operators, on a server only: there the engine keeps them to tables. The embedded engine would let one read this machine's
 * files (`file('/etc/passwd')`) and write some (`INTO OUTFILE`) even when it is read-only, and holds nothing but our own tables.
 */
export function createQuerySource(client: StoreClient): QuerySource {
  return {
    async exportQuery(sql, path) {
      if (client.kind === 'embedded')
        throw new AppError(
          'invalid_request',
          'a query needs a ClickHouse server (store.url): the embedded store holds nothing but what this service has stored; to compare with a past period, use model rebaseline',
        );
      // One that a shell or an editor left at the end; a second statement is the server's to refuse.
      const statement = sql.trim().replace(/;\s*$/, '');
      try {
        await client.exportForeign(statement, path, LIMITS);
      } catch (cause) {
        const code = engineErrorCode(cause);
        if (code === TOO_MANY_ROWS_OR_BYTES)
          throw new AppError(
            'payload_too_large',
            `the query's answer has more than ${LIMITS.maxRows} rows or ${LIMITS.maxBytes} bytes: ask for a sample`,
            { cause },
          );
        if (code === READONLY)
          throw new AppError(
            'invalid_request',
            'the query may read tables and views, and nothing else: no writing, no SETTINGS, no table functions that reach files or hosts',
            { cause },
          );
        if (code === null || NOT_THE_QUERY.has(code)) throw cause;
        throw new AppError('invalid_request', `the query fails: ${messageOf(cause).split('\n')[0]}`, {
          cause,
        });
      }
    },
  };
}
