/** Markup that is safe to send. Only `html` and `raw` make one; everything else is escaped on its way in. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export type HtmlValue = Html | string | number | boolean | null | undefined | readonly HtmlValue[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Controls (but tab and newline), bidirectional and zero-width formatting, byte-order mark, lone surrogates. */
const INVISIBLE =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\p{Cs}]/gu;

/**
 * Replaces characters that could hide, reorder or break text by U+FFFD, so that a name shows for what it is.
 * Tab and newline stay: tooltips have lines.
 */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (char) => (char === '\n' || char === '\t' ? char : '\ufffd'));
}

/** Safe as element text and inside a quoted attribute. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** One line of at most `length` characters (code points), ended by an ellipsis when cut. */
export function shorten(text: string, length: number): string {
  const head = Array.from(visible(text.slice(0, 2 * length + 2)).replace(/[\n\t]/g, ' '));
  return head.length > length ? `${head.slice(0, length - 1).join('')}…` : head.join('');
}

/** Markup that is known to be safe already, such as a rendered picture. Never give it a value from outside. */
export function raw(text: string): Html {
  return new Html(text);
}

function render(value: HtmlValue): string {
  if (value === null || value === undefined || value === false || value === true) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(render).join('');
  throw new TypeError(`a template cannot hold a value of type ${typeof value}`);
}

/** Template tag: values are escaped unless they are `Html`; null, undefined and booleans vanish; arrays are joined. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = strings[0] ?? '';
  for (const [index, value] of values.entries()) text += render(value) + (strings[index + 1] ?? '');
  return new Html(text);
}

/** A name from outside as text: isolated from the direction of its surroundings, cut at `length`, whole in the tooltip. */
export function nameTag(name: string, length = 60): Html {
  const short = shorten(name, length);
  if (short === name) return html`<bdi>${short}</bdi>`;
  return html`<bdi title="${shorten(name, 500)}">${short}</bdi>`;
}

/** An absolute path of this site from unescaped segments. */
export function sitePath(...segments: readonly string[]): string {
  return `/${segments.map((segment) => encodeURIComponent(segment.replace(/\p{Cs}/gu, '\ufffd'))).join('/')}`;
}
