import { NestedTooDeep, parseJson } from '../../domain/json.js';
import type { CallHalf, Outcome, RejectReason } from '../../domain/prediction.js';
import { type Fields, Unusable } from '../decode-event.js';
import { bodyOf } from './body-text.js';
import { callTypeOf, dataOf } from './cloud-events.js';
import type { MessageReader } from './read-message.js';

/**
 * Reads calls whose sides were logged apart. What is wrong with one is said of that one, and keeps no other from being paired.
 *
 * @param open gives what a sealed side holds; throws RangeError when it was sealed with another key
 */
export function createPairReader(read: MessageReader, open: (half: CallHalf) => CallHalf) {
  return (request: CallHalf, response: CallHalf): readonly Outcome[] => {
    let sides: [CallHalf, CallHalf];
    try {
      sides = [open(request), open(response)];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return [rejected(request, 'unsupported_payload', SEALED)];
    }
    let value: Fields;
    try {
      value = messageOfPair(...sides);
    } catch (error) {
      if (!(error instanceof NestedTooDeep)) throw error;
      return [rejected(request, 'too_deep', error.message)];
    }
    const { source } = request;
    return read({
      value,
      text: JSON.stringify(value),
      kind: 'prediction',
      source,
      index: 0,
      defaultId: null,
    });
  };
}

const SEALED = 'the sides of the call were sealed with another privacy key: give all processes the same one';

function rejected({ model, payload, source }: CallHalf, reason: RejectReason, detail: string): Outcome {
  return {
    kind: 'rejected',
    row: { kind: 'prediction', reason, detail, payload, model, rowIndex: 0, source },
  };
}

/** A call whose sides were logged apart, as the message that it would have been in one piece. Throws NestedTooDeep. */
export function messageOfPair(request: CallHalf, response: CallHalf): Fields {
  const asked = parseJson(request.payload) as Fields;
  const answered = parseJson(response.payload) as Fields;
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
