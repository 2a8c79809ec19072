import type { ModelMapping } from '../../domain/mapping.js';
import type { Fields } from '../decode-event.js';
import { at, isFields } from './paths.js';

/** Where the configuration may say that a field stands, and what events call it. */
const NAMES = {
  predictionId: 'prediction_id',
  timestamp: 'timestamp',
  prediction: 'prediction',
  probability: 'prediction_proba',
  label: 'label',
  latencyMs: 'latency_ms',
} as const;

/** Fields by name, taken from paths; nothing when none of them is there. */
function gather(fields: Fields, paths: Iterable<readonly [name: string, path: string]>): Fields | undefined {
  const found: [string, unknown][] = [];
  for (const [name, path] of paths) {
    const value = at(fields, path);
    if (value !== undefined) found.push([name, value]);
  }
  // Own fields, whatever they are called.
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function mappedFeatures(fields: Fields, features: NonNullable<ModelMapping['features']>): unknown {
  if (typeof features === 'string') return at(fields, features);
  const isList = (list: typeof features): list is readonly string[] => Array.isArray(list);
  return gather(fields, isList(features) ? features.map((name) => [name, name]) : Object.entries(features));
}

/** The event under the names that events have. What the mapping does not find stays where it is: aliases may name it. */
export function mapFields(fields: Fields, mapping: ModelMapping): Fields {
  const found: [string, unknown][] = [];
  for (const [key, name] of Object.entries(NAMES)) {
    const path = mapping[key as keyof typeof NAMES];
    if (path !== undefined) found.push([name, at(fields, path)]);
  }
  if (mapping.features !== undefined) found.push(['features', mappedFeatures(fields, mapping.features)]);
  if (mapping.tags !== undefined) {
    const tags = gather(fields, Object.entries(mapping.tags));
    const own = fields.tags;
    if (tags !== undefined) found.push(['tags', isFields(own) ? { ...own, ...tags } : tags]);
  }
  const mapped = found.filter(([, value]) => value !== undefined);
  return mapped.length === 0 ? fields : { ...fields, ...Object.fromEntries(mapped) };
}

/** Whether events of the model may not be read by their usual names alone. */
export function hasPaths(mapping: ModelMapping): boolean {
  return (
    mapping.features !== undefined ||
    mapping.tags !== undefined ||
    Object.keys(NAMES).some((key) => mapping[key as keyof typeof NAMES] !== undefined)
  );
}
