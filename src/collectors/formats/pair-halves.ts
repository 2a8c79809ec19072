import type { CallHalf } from '../../domain/prediction.js';
import { type Fields, Unusable } from '../decode-event.js';
import { bodyOf } from './body-text.js';
import { callTypeOf, dataOf } from './cloud-events.js';

/** A call whose sides were logged apart, as the message that it would have been in one piece. */
export function messageOfPair(request: CallHalf, response: CallHalf): Fields {
  const asked = JSON.parse(request.payload) as Fields;
  const answered = JSON.parse(response.payload) as Fields;
  return {
    prediction_id: asked[callTypeOf(asked)?.id ?? 'id'],
    model: request.model,
    timestamp: asked.time ?? answered.time ?? new Date(request.timestampMs).toISOString(),
    request: sideOf(asked),
    response: sideOf(answered),
  };
}

/** What cannot be read stays as it is: the reader of the call says why it is rejected, and keeps it. */
function sideOf(event: Fields): unknown {
  try {
    return bodyOf({ value: dataOf(event), contentType: event.datacontenttype });
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return event.data ?? event.data_base64;
  }
}
