import type { RecordDecoders } from '../../src/collectors/range-buffer.js';

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
        numeric: Object.create(null),
        categorical: Object.create(null),
        prediction: 1,
        proba: null,
        probas: Object.create(null),
        latencyMs: null,
        tags: Object.create(null),
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
