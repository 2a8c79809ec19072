import type { RecordDecoders } from '../../src/collectors/range-buffer.js';
import { NO_VALUES } from '../../src/domain/prediction.js';

/** Small decoders for tests of the way of the offsets: an event is `{"id": "..."}`, anything else is rejected. */
export const EVENT_DECODERS: RecordDecoders = {
  prediction: (value, source) => {
    const id = idOf(value);
    if (id === null) return { ok: false, reason: 'missing_field', detail: 'id is missing', model: '' };
    return {
      ok: true,
      row: {
        model: 'm',
        modelVersion: '1',
        predictionId: id,
        rowIndex: 0,
        timestampMs: 0,
        numeric: NO_VALUES,
        categorical: NO_VALUES,
        prediction: 1,
        proba: null,
        probas: NO_VALUES,
        latencyMs: null,
        tags: NO_VALUES,
        source,
      },
    };
  },
  label: (value, source) => {
    const id = idOf(value);
    if (id === null) return { ok: false, reason: 'missing_field', detail: 'id is missing', model: '' };
    return {
      ok: true,
      row: { model: 'm', modelVersion: '1', predictionId: id, rowIndex: 0, timestampMs: 0, label: 1, source },
    };
  },
};

function idOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('id' in value)) return null;
  return typeof value.id === 'string' ? value.id : null;
}
