import { parseJson } from './json.js';
/** A CloudEvent 1.0 in structured mode (https://github.com/cloudevents/spec): its attributes, and its data beside them. */
export type CloudEvent = Readonly<Record<string, unknown>>;

const JSON_TYPE = /^\s*[^;]*[/+]json\s*(;|$)/i;

/** The data of a body: JSON where it is, text where it is UTF-8, base64 of anything else. */
function dataOf(body: Uint8Array, contentType: string): CloudEvent {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return { data_base64: Buffer.from(body).toString('base64') }; // bytes of a protocol of their own
  }
  if (contentType === '' || JSON_TYPE.test(contentType) || /^\s*[[{]/.test(text)) {
    try {
      return { data: parseJson(text) };
    } catch {
      return { data: text }; // what it is not is said when it is read
    }
  }
  return { data: text };
}

/**
 * The structured form of an event in binary mode, whose attributes stand in headers and whose data is the body.
 *
 * @param attributes by name, without a prefix
 */
export function structured(
  attributes: Readonly<Record<string, string>>,
  contentType: string,
  body: Uint8Array,
): CloudEvent {
  return {
    ...attributes,
    ...(contentType === '' ? {} : { datacontenttype: contentType }),
    ...dataOf(body, contentType),
  };
}
