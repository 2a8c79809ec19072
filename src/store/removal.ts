import { AppError } from '../errors.js';
import type { StoreClient } from './client.js';
import { engineErrorCode } from './store-error.js';

export const REMOVAL_TIMEOUT_MS = 600_000;

type Params = Readonly<Record<string, unknown>>;

/** Rows of a table that have to go. */
export interface Condition {
  readonly table: string;
  readonly where: string;
  readonly params: Params;
}

/** Statements that name what is erased stand in no log of a server. */
export const UNLOGGED = 'SETTINGS log_queries = 0';

/** Removal of rows by mutations that are waited for, and counted afterwards. */
export function createRemoval(client: StoreClient) {
  const long = { timeoutMs: REMOVAL_TIMEOUT_MS };
  const changed = new Set<string>();

  /** A mutation; an error of the engine could quote what is erased. */
  async function mutate(table: string, statement: string, params: Params): Promise<void> {
    changed.add(table);
    try {
      await client.command(`${statement}, mutations_sync = 2`, params, long);
    } catch (error) {
      const retryable = error instanceof AppError && error.retryable;
      const code = engineErrorCode(error);
      throw new AppError(
        'store_unavailable',
        `rows in ${table} cannot be removed (${code === null ? 'the store gave no code' : `engine error ${code}`}): look at the store's own log, and erase again`,
        { retryable },
      );
    }
  }

  async function count({ table, where, params }: Condition): Promise<number> {
    const [row] = await client.query<{ n: number }>(
      `SELECT count() AS n FROM ${table} WHERE ${where} ${UNLOGGED}`,
      params,
      long,
    );
    return row?.n ?? 0;
  }

  /** Removes the rows, and looks whether they are gone. */
  async function remove(condition: Condition, erased: Record<string, number>): Promise<void> {
    const { table, where, params } = condition;
    const stored = await count(condition);
    if (stored === 0) return;
    await mutate(table, `ALTER TABLE ${table} DELETE WHERE ${where} ${UNLOGGED}`, params);
    const left = await count(condition);
    if (left > 0)
      throw new AppError(
        'store_unavailable',
        `${left} of ${stored} rows in ${table} are still there after their deletion: erase again`,
        { retryable: true },
      );
    erased[table] = (erased[table] ?? 0) + stored;
  }

  async function change(condition: Condition, assignment: string): Promise<void> {
    if ((await count(condition)) === 0) return;
    const { table, where, params } = condition;
    await mutate(table, `ALTER TABLE ${table} UPDATE ${assignment} WHERE ${where} ${UNLOGGED}`, params);
  }

  /** The engine keeps the text of the last hundred mutations of a table, also in its directory: those that are done go. */
  async function forget(): Promise<void> {
    const tables = [...changed];
    changed.clear();
    if (tables.length === 0) return;
    await client.command(
      'KILL MUTATION WHERE database = {database:String} AND table IN {tables:Array(String)} AND is_done SYNC',
      { database: client.database, tables },
      long,
    );
  }

  return { count, remove, change, forget };
}

export type Removal = ReturnType<typeof createRemoval>;

export function* chunksOf<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

/** A text in a statement, which travels in the body of a request: a list of parameters would be too long for its address. */
export function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`;
}

/** How a text may be written in JSON: plainly, and with all that is not ASCII escaped. */
export function needlesOf(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  const escaped = plain.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return [...new Set([text, plain, escaped])].filter((needle) => needle !== '');
}
