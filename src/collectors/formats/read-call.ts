import { type Fields, unusable } from '../decode-event.js';
import { bodyOf } from './body-text.js';
import { type BodyPlace, CALL_FORMATS, type CallFormat } from './call-formats.js';
import type { Call } from './explode-call.js';
import { at, firstAt } from './paths.js';

/** The format that has a whole call in a message like this one; undefined for an event. */
export function callFormatOf(fields: Fields): CallFormat | undefined {
  if (Object.hasOwn(fields, 'features')) return undefined;
  return CALL_FORMATS.find(({ marks }) => marks.every((mark) => at(fields, mark) !== undefined));
}

/** Names that the message has for its model. */
export function namesInCall(fields: Fields, format: CallFormat): string[] {
  const bodyName = (place: BodyPlace) => at(at(fields, place.path), 'model_name');
  return [firstAt(fields, format.model), bodyName(format.response), bodyName(format.request)].filter(
    (name): name is string => typeof name === 'string' && name !== '',
  );
}

function bodyAt(fields: Fields, { path, encoding, contentType }: BodyPlace): unknown {
  return bodyOf({
    value: at(fields, path),
    encoding: encoding === undefined ? undefined : at(fields, encoding),
    contentType: contentType === undefined ? undefined : at(fields, contentType),
  });
}

/** The call in a message, with what is known of it from elsewhere. Throws unsupported_payload for one that failed or whose bodies cannot be read. */
export function callIn(
  fields: Fields,
  format: CallFormat,
  known: { readonly model: string; readonly modelVersion: string | undefined },
): Call {
  const status = firstAt(fields, format.status);
  if (status !== undefined && Number(status) !== 200)
    unusable('unsupported_payload', 'the call failed, so that nothing was predicted');
  const request = bodyAt(fields, format.request);
  const response = bodyAt(fields, format.response);
  return {
    predictionId: firstAt(fields, format.predictionId),
    model: known.model,
    modelVersion:
      firstAt(fields, format.modelVersion) ?? firstAt(response, ['model_version']) ?? known.modelVersion,
    timestamp: firstAt(fields, format.timestamp),
    latencyMs: firstAt(fields, format.latencyMs),
    tags: fields.tags,
    rowIndex: Number.isSafeInteger(fields.row_index) ? (fields.row_index as number) : 0,
    request,
    response,
  };
}
