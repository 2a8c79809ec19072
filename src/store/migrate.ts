import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { AppError, messageOf } from '../errors.js';
import type { StoreClient } from './client.js';
import { splitStatements } from './sql-statements.js';

export interface Migration {
  /** File name without `.sql`; the order of names is the order of work. */
  readonly name: string;
  readonly statements: readonly string[];
  /** SHA-256 of the file, hex. */
  readonly checksum: string;
}

/** Beside this file in the sources, beside the bundle in dist/. */
const MIGRATIONS = new URL('./migrations/', import.meta.url);

export const LEDGER = 'schema_migrations';
const CREATE_LEDGER = `CREATE TABLE IF NOT EXISTS ${LEDGER}
(
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY name
SETTINGS non_replicated_deduplication_window = 10000`;

export function readMigrations(directory: URL = MIGRATIONS): Migration[] {
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => name.endsWith('.sql'));
  } catch (cause) {
    throw new AppError(
      'migration_failed',
      `cannot read the migrations in ${directory.pathname}: ${messageOf(cause)}; install the package again`,
      { cause },
    );
  }
  return names.sort().map((name) => {
    const text = readFileSync(new URL(name, directory), 'utf8');
    return {
      name: name.replace(/\.sql$/, ''),
      statements: splitStatements(text),
      checksum: createHash('sha256').update(text).digest('hex'),
    };
  });
}

/**
 * Brings the database up to date and says which migrations ran. Each is recorded after its last statement; every
 * statement is repeatable (`IF NOT EXISTS`), so one that a crash cut short starts again from its first. Throws
 * migration_failed when an applied migration has changed since, or when a newer release has been here.
 */
export async function migrate(
  client: StoreClient,
  migrations: readonly Migration[] = readMigrations(),
): Promise<{ applied: string[] }> {
  await client.createDatabase();
  await client.command(CREATE_LEDGER);
  const recorded = await assertNotNewer(client, migrations);
  const applied: string[] = [];
  for (const migration of migrations) {
    const checksum = recorded.get(migration.name);
    if (checksum === undefined) {
      await apply(client, migration);
      applied.push(migration.name);
    } else if (checksum !== migration.checksum) {
      throw new AppError(
        'migration_failed',
        `the migration ${migration.name} has changed since it was applied to ${client.database}: restore its file and put the change into a new migration`,
      );
    }
  }
  return { applied };
}

/** The checksums of what was applied, by name. Throws migration_failed when a newer release has been here. */
export async function assertNotNewer(
  client: StoreClient,
  migrations: readonly Migration[] = readMigrations(),
): Promise<ReadonlyMap<string, string>> {
  const rows = await client.query<{ name: string; checksum: string }>(
    `SELECT name, checksum FROM ${LEDGER} FINAL ORDER BY name`,
  );
  const recorded = new Map(rows.map((row) => [row.name, row.checksum]));
  const known = new Set(migrations.map((migration) => migration.name));
  const newer = [...recorded.keys()].filter((name) => !known.has(name));
  if (newer.length > 0)
    throw new AppError(
      'migration_failed',
      `the database ${client.database} was migrated by a newer release (${newer.join(', ')}): install that release or use another database`,
    );
  return recorded;
}

async function apply(client: StoreClient, migration: Migration): Promise<void> {
  for (const [index, statement] of migration.statements.entries()) {
    try {
      await client.command(statement);
    } catch (cause) {
      throw new AppError(
        'migration_failed',
        `statement ${index + 1} of the migration ${migration.name} failed: ${messageOf(cause)}; it is repeated at the next start`,
        { cause, retryable: cause instanceof AppError && cause.retryable },
      );
    }
  }
  await client.insert(LEDGER, [{ name: migration.name, checksum: migration.checksum }]);
}
