import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { FeatureSchema } from '../domain/model.js';
import {
  type AppliedRule,
  DEFAULT_BUCKETS,
  HASHED,
  HASHED_BYTES,
  HASHED_PREFIX,
  hashedText,
  OTHER,
  type PrivacyRule,
  WIDTH_SLACK,
} from '../domain/privacy.js';
import { contentOf } from '../domain/reference-columns.js';
import type { HashKey, TreatFileInput } from '../domain/reference-ports.js';
import { AppError } from '../errors.js';
import type { StoreClient } from './client.js';
import { openReferenceFile, type ReferenceFile } from './reference-file.js';

const TIMEOUT_MS = 600_000;
const BLOCK_BYTES = 64;

/**
 * Writes a reference anew with its columns treated as rows are when they come in, so that both compare. Gives the rules as they were
 * applied, by column; those that are dropped are in none. Throws invalid_reference for a rule that does not fit its column.
 */
export async function treatFile(
  client: StoreClient,
  { path, target, rules, known, key }: TreatFileInput,
): Promise<ReadonlyMap<string, AppliedRule>> {
  const file = await openReferenceFile(client, path);
  const applied = new Map<string, AppliedRule>();
  const selected: string[] = [];
  const pads = paddedKeys(key.bytes);
  const params: Record<string, string> = { innerPad: hexOf(pads.inner), outerPad: hexOf(pads.outer) };
  for (const [index, column] of file.columns.entries()) {
    const rule = Object.hasOwn(rules, column.name) ? (rules[column.name] as PrivacyRule) : 'keep';
    if (rule === 'drop') continue;
    const used = rule === 'keep' ? null : await applicable(file, column, rule, known.get(column.name), key);
    if (used !== null) applied.set(column.name, used);
    params[`prefix${index}`] = hexOf(Buffer.from(hashedText(column.name, ''), 'utf8'));
    const value = used === null ? kept(file, column) : treated(file, column, used, `prefix${index}`);
    selected.push(`${value} AS ${quoted(column.name)}`);
  }
  await client.command(
    `INSERT INTO FUNCTION file('${resolve(target).replace(/[\\']/g, '\\$&')}', 'Parquet')
     SELECT ${selected.join(', ')} FROM ${file.table}
     SETTINGS output_format_parquet_string_as_string = 1, max_execution_time = 0, max_threads = 1, input_format_parquet_preserve_order = 1`,
    { ...file.params, ...params },
    { timeoutMs: TIMEOUT_MS },
  );
  return applied;
}

type Column = ReferenceFile['columns'][number];

const asNumber = ({ name }: Column): FeatureSchema => ({ name, kind: 'numeric' });
const asText = ({ name }: Column): FeatureSchema => ({ name, kind: 'categorical' });

/** The new file has types: what only looked like another one is written as what it was taken for. */
function kept(file: ReferenceFile, column: Column): string {
  return file.untyped && contentOf(column.type) === 'text'
    ? file.text(asText(column))
    : file.raw(column.name);
}

async function applicable(
  file: ReferenceFile,
  column: Column,
  rule: Exclude<PrivacyRule, 'keep' | 'drop'>,
  known: AppliedRule | undefined,
  key: HashKey,
): Promise<AppliedRule> {
  const content = contentOf(column.type);
  const isNumber = content === 'integer' || content === 'decimal';
  const wrong = (what: string): never => {
    throw new AppError('invalid_reference', `the privacy rule of ${column.name} ${what}`);
  };
  if (content === 'other') wrong('does not fit nested values: drop the column');
  if (rule === 'hash') return { rule: 'hash', key: key.id };
  if (content === 'time') wrong('does not fit times: hash or drop the column');
  if (typeof rule === 'object' && 'width' in rule) {
    if (!isNumber)
      wrong('gives a width, and the column holds no numbers: use bucket, { top: NUMBER } or hash');
    return { rule: 'bucket', width: rule.width };
  }
  if (known?.rule === 'bucket' && !('width' in known)) return known;
  if (rule === 'bucket' && isNumber) {
    const shares = Array.from({ length: DEFAULT_BUCKETS - 1 }, (_, index) => (index + 1) / DEFAULT_BUCKETS);
    const number = file.number(asNumber(column));
    const [row] = await file.query<{ edges: number[] }>(
      `SELECT quantilesExact(${shares.join(', ')})(${number}) AS edges FROM ${file.table} WHERE isFinite(${number})`,
      file.params,
    );
    const edges = [...new Set(row?.edges ?? [])].filter(Number.isFinite).sort((a, b) => a - b);
    if (edges.length === 0)
      wrong('finds no number in the reference to learn buckets from: use { width: NUMBER }');
    return { rule: 'bucket', edges };
  }
  const text = file.text(asText(column));
  const rows = await file.query<{ value: string }>(
    `SELECT assumeNotNull(${text}) AS value FROM ${file.table} WHERE isNotNull(${text})
     GROUP BY value ORDER BY count() DESC, value LIMIT {most:UInt32}`,
    { ...file.params, most: typeof rule === 'object' ? rule.top : DEFAULT_BUCKETS },
  );
  return { rule: 'bucket', values: rows.map(({ value }) => value) };
}

/** Expression: the column's values as `Treatment` makes them of events. */
function treated(file: ReferenceFile, column: Column, applied: AppliedRule, prefix: string): string {
  const number = file.number(asNumber(column));
  const text = file.text(asText(column));
  if (applied.rule === 'hash') return hashed(text, prefix);
  if ('width' in applied) {
    const width = literal(applied.width);
    return `if(isFinite(${number}), floor(${number} / ${width} + ${WIDTH_SLACK}) * ${width}, ${number})`;
  }
  if ('edges' in applied)
    return `if(isFinite(${number}), roundDown(${number}, [${applied.edges.map(literal).join(', ')}]), ${number})`;
  const values = applied.values.map((value) => `'${value.replace(/[\\']/g, '\\$&')}'`);
  const isOne = values.length === 0 ? '0' : `assumeNotNull(${text}) IN (${values.join(', ')})`;
  return `multiIf(isNull(${text}), NULL, ${isOne}, ${text}, '${OTHER}')`;
}

/** HMAC-SHA-256 (RFC 2104) of the column's name and the text, as the engine has a hash, and no HMAC. */
function hashed(text: string, prefix: string): string {
  const message = `concat(unhex({innerPad:String}), unhex({${prefix}:String}), assumeNotNull(${text}))`;
  const digest = `SHA256(concat(unhex({outerPad:String}), SHA256(${message})))`;
  return `multiIf(isNull(${text}), NULL, match(assumeNotNull(${text}), '${HASHED.source}'), ${text},
    concat('${HASHED_PREFIX}', lower(hex(substring(${digest}, 1, ${HASHED_BYTES})))))`;
}

function paddedKeys(key: Uint8Array): { inner: Uint8Array; outer: Uint8Array } {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? createHash('sha256').update(key).digest() : key);
  return { inner: block.map((byte) => byte ^ 0x36), outer: block.map((byte) => byte ^ 0x5c) };
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** A number in a statement is read exactly; as a parameter it may be off by one unit in the last place. */
function literal(value: number): string {
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.`;
}

function quoted(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}
