import type { DecodeContext } from '../../src/collectors/decode-event.js';
import { decodePrediction } from '../../src/collectors/decode-prediction.js';
import { createEventReader } from '../../src/collectors/event-reader.js';
import type { RowSource } from '../../src/domain/prediction.js';
import { keptRow } from '../../src/domain/row-list.js';
import { EVENTS_READ_AT_MS } from './json-values.js';

export const source: RowSource = { kind: 'kafka', topic: 't', partition: 1, offset: 2 };
export const nowMs = EVENTS_READ_AT_MS;
export const kinds = new Map<string, 'numeric' | 'categorical'>([
  ['age', 'numeric'],
  ['plan', 'categorical'],
  ['flag', 'numeric'],
]);
export const context: DecodeContext = {
  featureKinds: (model, version) => (model === 'churn' && version === '3' ? kinds : undefined),
  nowMs,
  earliestMs: () => Date.UTC(1971, 0, 1),
  source,
  defaultId: 't/1/2',
};
export const open = () => {
  const { featureKinds, earliestMs } = context;
  return createEventReader({ featureKinds, earliestMs, wallClock: () => nowMs, idOf: () => 't/1/2' });
};
export const ordinary = (text: string) => {
  try {
    const decoded = decodePrediction(JSON.parse(text), context);
    return decoded.ok ? decoded.row : null;
  } catch {
    return null;
  }
};
/** What a reader that has learnt `known` makes of `text`. */
export function quick(known: string, text: string) {
  const reader = open();
  const bytes = Buffer.from(known);
  reader.learn(bytes, 0, bytes.length);
  const row = reader.read(Buffer.from(text), 0, source);
  return row === null || reader.end() !== Buffer.byteLength(text) ? null : keptRow(row);
}
export const write = (values: Record<string, string>, features: Record<string, string>) =>
  `{"prediction_id":${values.id}, "model":${values.model},"model_version":${values.version},"timestamp":${values.time},` +
  `"extra":${values.extra},"features":{${Object.entries(features)
    .map(([name, value]) => `"${name}": ${value}`)
    .join(',')}},"prediction":${values.prediction},"prediction_proba":${values.proba},` +
  `"latency_ms":${values.latency},"row_index":${values.index},"tags":{"region":${values.tag}}}`;
export const PLAIN = {
  id: '"r1"',
  model: '"churn"',
  version: '"3"',
  time: '"2026-01-01T00:00:00.123Z"',
  extra: '7',
  prediction: '1',
  proba: '0.83',
  latency: '12.5',
  index: '4',
  tag: '"eu"',
};
export const FEATURES = { age: '31', plan: '"pro"', flag: 'true', x: 'null', other: '-0.5' };
