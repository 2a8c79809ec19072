import { isRounded } from '../domain/json.js';
import { RESERVED_FEATURES } from '../domain/model.js';
import { type Named, NO_VALUES, type PredictionRow } from '../domain/prediction.js';
import {
  ALIASES,
  type DecodeContext,
  type DecodedPrediction,
  decoding,
  type EventKey,
  eventKey,
  eventTime,
  type Fields,
  MAX_FEATURES,
  MAX_NAME_LENGTH,
  MAX_TAGS,
  MAX_TEXT_LENGTH,
  pick,
  unusable,
} from './decode-event.js';
import { createSharedNames } from './shared-names.js';

const MAX_CLASSES = 1_000;

/** A memo and nothing else: what it forgets costs memory, never a value. */
const sharedNames = createSharedNames();

function named<Value>(names: string[], values: Value[]): Named<Value> {
  return names.length === 0 ? NO_VALUES : { names: sharedNames(names), values };
}

function objectField(value: unknown, name: string): Fields {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    unusable('invalid_field', `${name} must be an object`);
  return value as Fields;
}

function checkedName(name: string, what: string): string {
  if (name === '' || name.length > MAX_NAME_LENGTH)
    unusable('invalid_field', `a ${what} name must have 1 to ${MAX_NAME_LENGTH} characters`);
  return name;
}

function features(value: unknown, kinds: EventKey['kinds']) {
  if (value === undefined || value === null) unusable('missing_field', 'features is missing');
  const fields = objectField(value, 'features');
  const names = Object.keys(fields);
  if (names.length > MAX_FEATURES)
    unusable(
      'too_many_features',
      `the event has ${names.length} features, at most ${MAX_FEATURES} are taken`,
    );
  const numericNames: string[] = [];
  const numbers: number[] = [];
  const categoricalNames: string[] = [];
  const texts: string[] = [];
  const number = (name: string, value: number) => {
    numericNames.push(name);
    numbers.push(value);
  };
  const text = (name: string, value: string) => {
    categoricalNames.push(name);
    texts.push(value);
  };
  for (const name of names) {
    const feature = fields[name];
    if (feature === null) continue;
    if (RESERVED_FEATURES.has(name))
      unusable(
        'invalid_field',
        `${name} is the model's output and cannot be a feature: send it beside features`,
      );
    const kind = kinds.get(name);
    if (kind === undefined) checkedName(name, 'feature');
    switch (typeof feature) {
      case 'number':
        if (kind === 'categorical') text(name, String(feature));
        else number(name, feature);
        break;
      case 'boolean':
        if (kind === 'numeric') number(name, Number(feature));
        else text(name, String(feature));
        break;
      case 'string':
        // A numeric feature that arrives as text stays visible as text: it is counted as mistyped.
        if (feature.length > MAX_TEXT_LENGTH)
          unusable('invalid_field', `a feature's text is longer than ${MAX_TEXT_LENGTH} characters`);
        text(name, feature);
        break;
      default:
        unusable(
          'too_deep',
          'a feature must be a number, text, true, false or null: flatten lists and objects',
        );
    }
  }
  return { numeric: named(numericNames, numbers), categorical: named(categoricalNames, texts) };
}

function prediction(value: unknown): number | string {
  if (value === undefined || value === null) unusable('missing_field', 'prediction is missing');
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string' && value.length <= MAX_TEXT_LENGTH) return value;
  return unusable('invalid_field', 'prediction must be a finite number or text');
}

const isShare = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1;

function probabilities(value: unknown): Pick<PredictionRow, 'proba' | 'probas'> {
  if (value === undefined || value === null) return { proba: null, probas: NO_VALUES };
  if (isShare(value)) return { proba: value, probas: NO_VALUES };
  if (typeof value !== 'object' || Array.isArray(value))
    unusable(
      'invalid_field',
      'prediction_proba must be a number from 0 to 1, or an object of class: probability',
    );
  const classes = Object.entries(value);
  if (classes.length > MAX_CLASSES)
    unusable(
      'invalid_field',
      `prediction_proba has ${classes.length} classes, at most ${MAX_CLASSES} are taken`,
    );
  for (const [name, share] of classes) {
    if (!isShare(share))
      unusable('invalid_field', 'each probability of prediction_proba must be a number from 0 to 1');
    checkedName(name, 'class');
  }
  return {
    proba: null,
    probas: named(
      classes.map(([name]) => name),
      classes.map(([, share]) => share as number),
    ),
  };
}

function latency(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    unusable('invalid_field', 'latency_ms must be a number of milliseconds, 0 or more');
  return value;
}

function tags(value: unknown): Named<string> {
  if (value === undefined) return NO_VALUES;
  const names: string[] = [];
  const texts: string[] = [];
  const entries = Object.entries(objectField(value, 'tags'));
  if (entries.length > MAX_TAGS)
    unusable('invalid_field', `the event has ${entries.length} tags, at most ${MAX_TAGS} are taken`);
  for (const [name, tag] of entries) {
    if (tag === null) continue;
    if (typeof tag === 'object' || String(tag).length > MAX_TEXT_LENGTH)
      unusable(
        'invalid_field',
        `a tag must be text of at most ${MAX_TEXT_LENGTH} characters, a number, true or false`,
      );
    // People whose numbers differ would be one.
    if (isRounded(tag))
      unusable('invalid_field', 'a number in a tag must be below 2^53: send a longer one as text');
    names.push(checkedName(name, 'tag'));
    texts.push(String(tag));
  }
  return named(names, texts);
}

/** A parsed event → a row, or the reason why not. Never throws for data. Format and aliases: docs/api.md. */
export function decodePrediction(value: unknown, context: DecodeContext): DecodedPrediction {
  return decoding(value, (fields) => {
    const key = eventKey(fields, context);
    return {
      model: key.model,
      modelVersion: key.modelVersion,
      predictionId: key.predictionId,
      rowIndex: key.rowIndex,
      timestampMs: eventTime(fields, key.model, context),
      ...features(fields.features, key.kinds),
      prediction: prediction(pick(fields, ALIASES.prediction)),
      ...probabilities(pick(fields, ALIASES.proba)),
      latencyMs: latency(fields.latency_ms),
      tags: tags(fields.tags),
      source: context.source,
    };
  });
}
