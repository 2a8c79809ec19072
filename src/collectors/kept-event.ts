import { isRounded } from '../domain/json.js';
import type { RejectedRow } from '../domain/prediction.js';
import { ALIASES, type Fields, pick } from './decode-event.js';
import { DROPPED, type Treatment, UNDECLARED, UNKNOWN_BUCKETS } from './treat-values.js';

type TreatmentOf = (name: string) => Treatment | null;

/** How the values of one event are treated. */
export interface EventTreatment {
  readonly model: string;
  readonly id: (id: string) => string;
  /** Null where features cannot be treated yet. */
  readonly feature: TreatmentOf | null;
  readonly tag: TreatmentOf;
}

/**
 * An event under our names as a message that may be kept; null when a value cannot be treated. Nothing is taken unread: a field may hold
 * anything, as it was rejected, and keeps only what it may hold.
 */
export function keptText(kind: RejectedRow['kind'], event: Fields, treat: EventTreatment): string | null {
  const id = pick(event, ALIASES.predictionId);
  // As text it would be another's id, and could become a row.
  if (isRounded(id)) return null;
  const shared = {
    prediction_id: idOf(id, treat.id),
    model: treat.model,
    model_version: textOrNumber(pick(event, ALIASES.modelVersion)),
    row_index: number(event.row_index),
    timestamp: time(pick(event, ALIASES.timestamp)),
  };
  if (kind === 'label') return JSON.stringify({ ...shared, label: scalar(pick(event, ALIASES.label)) });
  if (treat.feature === null) return null;
  const features = valuesIn(event.features, treat.feature);
  const tags = event.tags === undefined ? undefined : valuesIn(event.tags, treat.tag, isRounded);
  if (features === null || tags === null) return null;
  return JSON.stringify({
    ...shared,
    features,
    prediction: scalar(pick(event, ALIASES.prediction)),
    prediction_proba: numbers(pick(event, ALIASES.proba)),
    latency_ms: number(event.latency_ms),
    tags,
  });
}

/** What does not fit is null; what is not there is not there. */
const fitting =
  (fits: (value: unknown) => boolean) =>
  (value: unknown): unknown =>
    value === undefined || fits(value) ? value : null;

const isNumber = (value: unknown) => typeof value === 'number';
const isText = (value: unknown) => typeof value === 'string';
const number = fitting(isNumber);
const textOrNumber = fitting((value) => isText(value) || isNumber(value));
const scalar = fitting((value) => isText(value) || isNumber(value) || typeof value === 'boolean');

/** Begins with a date, and may go on with a time and a zone: a telephone number has the same characters. */
const TIME = /^\d{4}-\d{2}-\d{2}[\d:TtZz., +-]{0,30}$/;
const time = fitting((value) => isNumber(value) || (typeof value === 'string' && TIME.test(value)));

function idOf(id: unknown, treated: EventTreatment['id']): unknown {
  return typeof id === 'string' || typeof id === 'number' ? treated(String(id)) : fitting(() => false)(id);
}

/** A number, or numbers by class or in a list: all of them, or none. */
function numbers(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return number(value);
  const isPlain = Object.values(value).every(isNumber);
  return isPlain ? value : emptied(value);
}

const emptied = (value: object) => (Array.isArray(value) ? [] : {});

type IsUnfit = (value: unknown) => boolean;

function valuesIn(values: unknown, of: TreatmentOf, isUnfit: IsUnfit = () => false): Fields | null {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return null;
  return keptValues(values as Fields, of, isUnfit);
}

/** Null when a value cannot be treated, or not yet. Values that are none stay what they are, without what is in them. */
function keptValues(values: Fields, of: TreatmentOf, isUnfit: IsUnfit): Fields | null {
  const kept: [string, unknown][] = [];
  for (const [name, value] of Object.entries(values)) {
    const treatment = of(name);
    if (treatment === UNKNOWN_BUCKETS) return null;
    if (treatment === DROPPED || treatment === UNDECLARED) continue;
    if (isUnfit(value)) return null;
    if (typeof value === 'object' && value !== null) kept.push([name, emptied(value)]);
    else if (treatment === null || value === null) kept.push([name, value]);
    else
      kept.push([name, typeof value === 'number' ? treatment.number(value) : treatment.text(String(value))]);
  }
  return Object.fromEntries(kept);
}
