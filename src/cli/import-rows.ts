import { createHash } from 'node:crypto';
import { columnOfRole } from '../domain/reference-columns.js';

/** A row of a table, one value for each column. */
export type TableRow = Readonly<Record<string, unknown>>;

/** Columns by which a table has whole events or calls in its rows, which the service reads itself. */
const WHOLE = ['features', 'request', 'captureData', 'instances'] as const;
/** Columns of an event that are no features, beside those with a role. */
const OWN = ['model', 'model_version', 'row_index', 'tags'] as const;
const ROLES = ['predictionId', 'timestamp', 'prediction', 'proba', 'latency'] as const;
/** Hexadecimal digits: rows of one place in files of one name are few. */
const HASH_LENGTH = 12;
const NAME_OF = {
  predictionId: 'prediction_id',
  timestamp: 'timestamp',
  prediction: 'prediction',
  proba: 'prediction_proba',
  latency: 'latency_ms',
} as const;

/** One spelling of a cell: a column of numbers becomes one of texts when a file has grown by a word. */
function spelt(value: unknown): unknown {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return value;
  const text = String(value).trim();
  return text !== '' && Number.isFinite(Number(text)) ? String(Number(text)) : text;
}

/** Of what is in a row, but for its label, which may be filled in later. */
function contentHash(row: TableRow, labelColumn: string | undefined): string {
  const cells = Object.entries(row).flatMap(([name, value]) =>
    name === labelColumn ? [] : [[name, spelt(value)]],
  );
  return createHash('sha256').update(JSON.stringify(cells)).digest('hex').slice(0, HASH_LENGTH);
}

/**
 * A flat row as events: columns are found by the names that references have for them, all others are features. A row without an id is known
 * by its place in its file and by what is in it, so that importing it again changes nothing, and a row of another file with the same name
 * is another one. Null where there is no such event.
 */
export function eventsOfRow(
  row: TableRow,
  place: string,
): { readonly prediction: TableRow | null; readonly label: TableRow | null } {
  if (WHOLE.some((name) => Object.hasOwn(row, name))) return { prediction: row, label: null };
  const names = new Set(Object.keys(row));
  const taken = new Set<string>(OWN);
  const labelColumn = columnOfRole('label', names);
  const fields: [string, unknown][] = [];
  for (const role of ROLES) {
    const column = columnOfRole(role, names);
    if (column === undefined) continue;
    taken.add(column);
    if (row[column] !== null) fields.push([NAME_OF[role], row[column]]);
  }
  if (!fields.some(([name]) => name === 'prediction_id'))
    fields.push(['prediction_id', `${place}-${contentHash(row, labelColumn)}`]);
  const own = OWN.filter((name) => row[name] !== undefined && row[name] !== null);
  fields.push(...own.map((name): [string, unknown] => [name, row[name]]));
  const shared = Object.fromEntries(fields);
  if (labelColumn !== undefined) taken.add(labelColumn);
  const label = labelColumn === undefined ? null : row[labelColumn];
  const features = Object.entries(row).filter(([name]) => !taken.has(name));
  return {
    prediction: 'prediction' in shared ? { ...shared, features: Object.fromEntries(features) } : null,
    label: label === null || label === undefined ? null : { ...shared, label },
  };
}
