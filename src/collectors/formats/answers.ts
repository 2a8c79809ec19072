import type { ModelMapping } from '../../domain/mapping.js';
import { ALIASES, type Fields, pick, unusable } from '../decode-event.js';
import { at, byName, isFields } from './paths.js';

/** What a model answered for one row, as events say it. */
export interface Answer {
  readonly prediction: unknown;
  readonly prediction_proba?: unknown;
}

/** What servers and frameworks call the class or value, and the probabilities, in answers with several fields. */
const VALUES = [
  ...ALIASES.prediction,
  'predictions',
  'predict',
  'label',
  'predicted_label',
  'output_label',
  'class',
  'output',
] as const;
const PROBABILITIES = [
  ...ALIASES.proba,
  'predict_proba',
  'probabilities',
  'probability',
  'output_probability',
  'scores',
] as const;

/** What servers and frameworks write in place of an answer when the call failed. */
const FAILURES: ReadonlySet<string> = new Set(['error', 'errors', 'detail', 'message']);

/** How far probabilities may be from 1 in sum: single precision, and people who round to two digits. */
const SUM_TOLERANCE = 0.011;

function isDistribution(list: readonly unknown[]): list is readonly number[] {
  let sum = 0;
  for (const share of list) {
    if (typeof share !== 'number' || share < 0 || share > 1) return false;
    sum += share;
  }
  return Math.abs(sum - 1) <= SUM_TOLERANCE;
}

/** Of probabilities by place: the likeliest class, and what events say of its like. */
function likeliest(shares: readonly number[], { classes }: ModelMapping): Answer {
  if (classes !== undefined && classes.length !== shares.length)
    unusable(
      'unmapped',
      `the model answered ${shares.length} probabilities, mapping.classes names ${classes.length}`,
    );
  const classAt = (place: number) => classes?.[place] ?? place;
  const prediction = classAt(shares.indexOf(Math.max(...shares)));
  return {
    prediction,
    prediction_proba:
      shares.length === 2
        ? shares[1]
        : Object.fromEntries(shares.map((share, place) => [classAt(place), share])),
  };
}

/** Of the probability of the second class. */
function fromProbability(share: number, { classes, threshold }: ModelMapping): Answer {
  if (!(share >= 0 && share <= 1))
    unusable('unmapped', 'mapping.output says probability, and the model answered a number that is none');
  return {
    prediction: share >= threshold ? (classes?.[1] ?? 1) : (classes?.[0] ?? 0),
    prediction_proba: share,
  };
}

/** A list of one is what is in it, however deep. */
function unlisted(value: unknown): unknown {
  let inner = value;
  while (Array.isArray(inner) && inner.length === 1) [inner] = inner;
  return inner;
}

/** One row of an answer → prediction and probability. Throws unmapped where it could mean several things. */
export function answerOf(row: unknown, names: readonly string[] | null, mapping: ModelMapping): Answer {
  const value = unlisted(row);
  if (Array.isArray(value)) {
    if (value.length > 0 && isDistribution(value)) return likeliest(value, mapping);
    if (names !== null && names.length === value.length)
      return fromFields(
        byName(names, (place) => value[place]),
        mapping,
      );
    return unusable(
      'unmapped',
      'the model answered a list that is no probabilities and whose places have no names',
    );
  }
  if (isFields(value)) return fromFields(value, mapping);
  return mapping.output === 'probability' && typeof value === 'number'
    ? fromProbability(value, mapping)
    : { prediction: value };
}

/** A number is no message: some models answer an error of theirs. */
function isFailure(fields: Fields): boolean {
  const entries = Object.entries(fields);
  return (
    entries.length > 0 &&
    entries.every(([name, value]) => FAILURES.has(name) && typeof unlisted(value) !== 'number')
  );
}

function fromFields(fields: Fields, mapping: ModelMapping): Answer {
  const named = (path: string | undefined, aliases: readonly string[]) =>
    unlisted(path === undefined ? pick(fields, aliases) : at(fields, path));
  const prediction = named(mapping.prediction, VALUES);
  const proba = named(mapping.probability, PROBABILITIES);
  const likely = Array.isArray(proba) && isDistribution(proba) ? likeliest(proba, mapping) : null;
  if (prediction !== undefined && !Array.isArray(prediction) && !isFields(prediction))
    return { prediction, prediction_proba: likely?.prediction_proba ?? proba };
  if (Array.isArray(prediction)) return answerOf(prediction, null, mapping);
  if (likely !== null) return likely;
  const isMeant = mapping.probability !== undefined || mapping.output === 'probability';
  if (typeof proba === 'number' && isMeant) return fromProbability(proba, mapping);
  if (isFailure(fields))
    unusable(
      'unsupported_payload',
      `the call failed, so that nothing was predicted: its answer has ${Object.keys(fields).join(', ')} alone (if that is the prediction, name it in mapping.prediction)`,
    );
  const values = Object.values(fields);
  if (mapping.prediction === undefined && values.length === 1 && !isFields(values[0]))
    return answerOf(values[0], null, mapping);
  return unusable(
    'unmapped',
    'which field of the answer is the prediction is not known: name it in mapping.prediction (or mapping.probability)',
  );
}
