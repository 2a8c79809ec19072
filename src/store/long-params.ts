import { formatQueryParams } from '@clickhouse/client-common';
import type { SqlParams } from './client.js';
import { quotedText } from './encoding.js';

/** What of parameters may stand in the address of a request: servers and what lies before them take some kB. */
const ADDRESS_LENGTH = 4_096;

/**
 * A statement that holds its longest parameters itself, as literals, so that what is left fits the address of its request; as it was where
 * all parameters together take no more than `most` characters. A server takes no field of a form, where the client puts
 * parameters that are too long for the address, above 128 KiB (`http_max_field_value_size`), and no address above 1 MiB.
 *
 * @param sql with each parameter as `{name:Array(…)}` or `{name:String}`; those of other types stay parameters
 */
export function withLongParams(
  sql: string,
  params: SqlParams,
  most: number = ADDRESS_LENGTH,
): { readonly sql: string; readonly params: SqlParams } {
  const texts = Object.entries(params).map(([name, value]) => ({
    name,
    value,
    text: formatQueryParams({ value }),
  }));
  let length = texts.reduce((sum, { text }) => sum + text.length, 0);
  if (length <= most) return { sql, params };
  const rest: Record<string, unknown> = { ...params };
  const literals = new Map<string, string>();
  for (const { name, value, text } of texts.sort((a, b) => b.text.length - a.text.length)) {
    if (length <= ADDRESS_LENGTH / 2) break;
    const [, type] = new RegExp(`\\{${name}:(Array\\(.+?\\)|String)\\}`).exec(sql) ?? [];
    if (type === undefined) continue;
    literals.set(
      `{${name}:${type}}`,
      type === 'String' ? quotedText(String(value)) : `CAST(${quotedText(text)}, '${type}')`,
    );
    delete rest[name];
    length -= text.length;
  }
  // In one go: a literal may look like a parameter.
  const place = /\{\w+:(?:Array\(.+?\)|String)\}/g;
  return { sql: sql.replace(place, (found) => literals.get(found) ?? found), params: rest };
}
