import type { RecordDecoders } from '../../src/collectors/range-buffer.js';
import { NO_VALUES } from '../../src/domain/prediction.js';

/** Small decoders for tests of the way of the offsets: an event is `{"id": "..."}`, anything else is rejected. */
export const EVENT_DECODERS: RecordDecoders = {
  read: (kind, value, payload, source) => {
    const id = idOf(value);
    if (id === null) {
      const row = {
        kind,
        reason: 'missing_field',
        detail: 'id is missing',
        payload,
        model: '',
        rowIndex: 0,
      } as const;
      return [{ kind: 'rejected', row: { ...row, source } }];
    }
    const key = { model: 'm', modelVersion: '1', predictionId: id, rowIndex: 0, timestampMs: 0, source };
    if (kind === 'label') return [{ kind, row: { ...key, label: 1 } }];
    const values = { numeric: NO_VALUES, categorical: NO_VALUES, probas: NO_VALUES, tags: NO_VALUES };
    return [{ kind, row: { ...key, ...values, prediction: 1, proba: null, latencyMs: null } }];
  },
};

function idOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('id' in value)) return null;
  return typeof value.id === 'string' ? value.id : null;
}
