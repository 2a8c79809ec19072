import { type Fields, unusable } from '../decode-event.js';
import { responseRows } from './call-bodies.js';
import { dataOf } from './cloud-events.js';
import { firstAt } from './paths.js';

/**
 * The labels in a feedback event of Seldon Core v1, `{"request", "response", "reward", "truth"}`: one for each row of the truth. The call is
 * the one whose unique id the bodies name, else the one of the event.
 */
export function truthIn(fields: Fields, requestId: string): Fields[] {
  const body = dataOf(fields);
  const truth = firstAt(body, ['truth']);
  if (truth === undefined)
    unusable('unsupported_payload', 'the feedback has no truth: a reward alone is no label');
  const id = firstAt(body, ['response.meta.puid', 'request.meta.puid']) ?? requestId;
  const version = firstAt(fields, ['modelversion', 'data.model_version']);
  return responseRows(truth).rows.map((row, place) => ({
    prediction_id: id,
    row_index: place,
    ...(version === undefined ? {} : { model_version: version }),
    timestamp: fields.time,
    label: Array.isArray(row) && row.length === 1 ? row[0] : row,
  }));
}
