import { z } from 'zod';
import type { WebhookEvent } from '../domain/episode.js';
import { AppError } from '../errors.js';
import type { Preset, Template } from './webhook-presets.js';

export type InputValue = string | number | boolean;

/** Where a hook sends to, without its secrets. */
export interface HookAddress {
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  /** Values for the target's own parameters; texts may hold placeholders. */
  readonly inputs: Readonly<Record<string, InputValue>>;
}

const eventBody = z.object({
  data: z.object({
    model_version: z.string(),
    category: z.string(),
    episode: z.object({ id: z.string(), state: z.string(), severity: z.string() }),
    links: z.object({ page: z.string().optional() }),
  }),
});

type Values = ReadonlyMap<string, unknown>;

/** What placeholders stand for. `{event}` is the parsed body, `{event_json}` its text. */
function valuesOf(event: WebhookEvent): Map<string, unknown> {
  const parsed: unknown = JSON.parse(event.body);
  const { data } = eventBody.parse(parsed);
  return new Map<string, unknown>([
    ['id', event.id],
    ['type', event.type],
    ['model', event.model],
    ['model_version', data.model_version],
    ['category', data.category],
    ['severity', data.episode.severity],
    ['episode', data.episode.id],
    ['state', data.episode.state],
    ['page', data.links.page ?? ''],
    ['event', parsed],
    ['event_json', event.body],
  ]);
}

const textOf = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

const PLACEHOLDER = /\{(\w+)\}/g;

function fillText(text: string, values: Values, encode: (value: string) => string = String): string {
  return text.replace(PLACEHOLDER, (all, name: string) =>
    values.has(name) ? encode(textOf(values.get(name))) : all,
  );
}

function fill(template: Template, values: Values): unknown {
  if (template === null) return null;
  if (typeof template === 'string') {
    const whole = /^\{(event|inputs)\}$/.exec(template)?.[1];
    return whole === undefined ? fillText(template, values) : values.get(whole);
  }
  if (Array.isArray(template)) return template.map((item: Template) => fill(item, values));
  const filled: [string, unknown][] = [];
  for (const [key, value] of Object.entries(template as Record<string, Template>)) {
    const optional = typeof value === 'string' ? /^\{(\w+)\?\}$/.exec(value)?.[1] : undefined;
    if (key === '...') filled.push(...Object.entries(fill(value, values) as Record<string, unknown>));
    else if (optional === undefined) filled.push([key, fill(value, values)]);
    else if (values.get(optional) !== '') filled.push([key, values.get(optional)]);
  }
  // fromEntries defines each key: one that is called __proto__ is an own key, too
  return Object.fromEntries(filled);
}

/** `{a: 1, b: {c: 2}}` → `a=1&b[c]=2`. */
function formOf(fields: object): string {
  const form = new URLSearchParams();
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value === 'object' && value !== null)
      for (const [inner, text] of Object.entries(value)) form.append(`${key}[${inner}]`, String(text));
    else form.append(key, String(value));
  }
  return form.toString();
}

/** The parameters that a url ends in, and what stands before them, when it ends in the preset's path; else null. */
function paramsInUrl(pathname: string, path: string) {
  const names = [...path.matchAll(PLACEHOLDER)].map(([, name]) => name ?? '');
  const pattern = path
    .split(PLACEHOLDER)
    .map((part, i) => (i % 2 === 1 ? '([^/]+)' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('');
  const match = new RegExp(`${pattern}/?$`).exec(pathname);
  if (match === null) return null;
  const params = names.map((name, i) => [name, decodeURIComponent(match[i + 1] ?? '')] as const);
  return { params, before: pathname.slice(0, match.index) };
}

export function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new AppError('config_invalid', 'the webhook url is not an http or https url: correct it');
  if (url.username !== '' || url.password !== '')
    throw new AppError(
      'config_invalid',
      `the webhook url for ${url.host} holds credentials: remove them, and name them by tokenEnv, passwordEnv or secretEnv`,
    );
  return url;
}

const joined = (base: URL, path: string) => {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
  return url;
};

/**
 * Fits an address to its preset, once, at the start.
 *
 * @throws AppError config_invalid when a parameter is missing or unknown
 */
export function createPresetRequests(name: string, preset: Preset, address: HookAddress) {
  const base = parseUrl(address.url);
  const found = preset.path === '' ? null : paramsInUrl(base.pathname, preset.path);
  const given = new Map([...(found?.params ?? []), ...Object.entries(address.params)]);
  const known = Object.entries(preset.params);
  const unknown = [...given.keys()].filter((param) => !Object.hasOwn(preset.params, param));
  const missing = known
    .filter(([param, value]) => value === null && !given.has(param))
    .map(([param]) => param);
  if (unknown.length > 0 || missing.length > 0)
    throw new AppError(
      'config_invalid',
      `the preset ${name} takes the params ${known.map(([param]) => param).join(', ') || '(none)'}: ${[
        ...missing.map((param) => `${param} is missing`),
        ...unknown.map((param) => `${param} is not known`),
      ].join(', ')}`,
    );
  const params = known.map(([param, value]) => [param, given.get(param) ?? value ?? ''] as const);
  const root = new URL(base);
  if (found !== null) root.pathname = found.before;

  return {
    /** Scheme, host and port: what fails together. */
    origin: base.origin,
    loginUrl: preset.login === undefined ? null : joined(root, preset.login.path),
    /** @param token stands in the body where the preset wants it there */
    requestFor(event: WebhookEvent, token: string) {
      const values =
        preset.body === 'event'
          ? new Map<string, unknown>([
              ['id', event.id],
              ['type', event.type],
              ['model', encodeURIComponent(event.model)],
              ['time', new Date(event.createdAtMs).toISOString()],
            ])
          : valuesOf(event);
      // a parameter's own placeholders are values of the event
      const filled = params.map(([param, text]) => [param, fillText(text, values)] as const);
      for (const [param, text] of filled) values.set(param, text);
      const inputs = Object.entries(address.inputs).map(([key, value]) => [
        key,
        typeof value === 'string'
          ? value === '{event}'
            ? values.get('event')
            : fillText(value, values)
          : value,
      ]);
      values.set('inputs', Object.fromEntries(inputs));
      values.set('token', token);
      const url =
        found !== null || preset.path === ''
          ? base
          : joined(base, fillText(preset.path, values, encodeURIComponent));
      const body = preset.body === 'event' ? event.body : fill(preset.body, values);
      return {
        url,
        headers: Object.fromEntries(
          Object.entries(preset.headers).map(([header, text]) => [header, fillText(text, values)]),
        ),
        body:
          typeof body === 'string'
            ? body
            : preset.encoding === 'form'
              ? formOf(body as object)
              : JSON.stringify(body),
      };
    },
  };
}
