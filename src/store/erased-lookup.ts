import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type ErasedRows,
  type ErasureTarget,
  idOfCall,
  isIdName,
  mayBeId,
  mentionsIn,
  quotedIn,
  type TargetsIn,
} from '../domain/erasure.js';
import { mayBeRounded } from '../domain/json.js';

/** Values of one message that are hashed for each model although their names say nothing: a message can have a hundred thousand. */
const MAX_LOOKS = 500;
/** Of ids and tags, and of values without a name, which stand in quotes in what cannot be read: for all models together. */
const MAX_TELLING_LOOKS = 50_000;
/** And for each of them at least. */
const MIN_TELLING_LOOKS = 1_000;
/** Looks before the event loop gets a turn: some milliseconds. */
const LOOKS_PER_TURN = 1_000;

/** Follows in a hash what messages alone may have: a number beyond 2^53 as it was rounded, which as an id or value is another one's. */
export const ROUNDED = 'rounded';

/** Of one model. */
export interface ModelTombstones {
  readonly predictions: Set<string>;
  /** By tag, hashes with the event time up to which rows are refused, ms. */
  readonly subjects: Map<string, Map<string, number>>;
}

/** What was erased, by its hashes. */
export function erasedRows(
  models: ReadonlyMap<string, ModelTombstones>,
  refused: ReadonlySet<string>,
  targetsIn: TargetsIn,
  hash: (...parts: string[]) => string,
): Omit<ErasedRows, 'refuse'> {
  const isId = (model: string, id: string, ...more: string[]) => {
    const of = models.get(model);
    if (of === undefined || !hasIds(of)) return false;
    const hashed = hash(model, id, ...more);
    return of.predictions.has(hashed) || refused.has(hashed);
  };
  const hasIds = (of: ModelTombstones) => of.predictions.size > 0 || refused.size > 0;
  const isSubject = (model: string, tag: string, value: string, atMs: number, ...more: string[]) => {
    const untilMs = models
      .get(model)
      ?.subjects.get(tag)
      ?.get(hash(model, tag, value, ...more));
    return untilMs !== undefined && atMs <= untilMs;
  };
  // In messages, also as it was rounded: of those it stands for it cannot be told.
  const isIdIn = (model: string, id: string) =>
    isId(model, id) || (mayBeRounded(id) && isId(model, id, ROUNDED));
  const isSubjectIn = (model: string, tag: string, value: string) =>
    isSubject(model, tag, value, 0) || (mayBeRounded(value) && isSubject(model, tag, value, 0, ROUNDED));
  const isTarget = (model: string, target: ErasureTarget) =>
    target.kind === 'prediction'
      ? isIdIn(model, target.predictionId)
      : isSubjectIn(model, target.tag, target.value);
  /**
   * Of a message whose time is not known: it was before, as it could not be read. It is read once, whatever the number of models. 'unknown'
   * where it has more ids, tags, or texts whose names are not known, than are looked at.
   */
  const isMentionedOf = async (names: Iterable<string>, text: string): Promise<boolean | 'unknown'> => {
    const erased = [...names].filter((model) => models.has(model));
    if (erased.length === 0) return false;
    const mostTelling = Math.max(MIN_TELLING_LOOKS, Math.floor(MAX_TELLING_LOOKS / erased.length));
    const all = erased.map((model) => ({
      model,
      of: models.get(model) as ModelTombstones,
      left: { telling: mostTelling, other: MAX_LOOKS },
    }));
    let isWhole = true;
    let work = 0;
    const isTurnDue = () => {
      work += 1;
      return work % LOOKS_PER_TURN === 0;
    };
    const targetsOf = targetsIn(text);
    if (targetsOf !== null)
      for (const { model } of all) {
        let looks = 0;
        for (const target of targetsOf(model)) {
          if (looks >= mostTelling) {
            isWhole = false;
            break;
          }
          looks += 1;
          if (isTarget(model, target)) return true;
          if (isTurnDue()) await nextTurn();
        }
      }
    const seen = new Set<string>();
    let nameless = 0;
    // In place of targets that were not looked at, values whatever their names.
    for (const mentions of targetsOf === null ? [mentionsIn(text), quotedIn(text)] : [mentionsIn(text)])
      for (const mention of mentions) {
        const { name, value } = mention;
        const key = `${name.length} ${name}${value}`;
        if (seen.has(key)) continue;
        seen.add(key);
        if (name === '') nameless += 1;
        if (nameless > mostTelling) {
          isWhole = false;
          break;
        }
        for (const { model, of, left } of all) {
          if (isTurnDue()) await nextTurn();
          if (name !== '') {
            const kind = isIdName(name) || of.subjects.has(name) ? 'telling' : 'other';
            if (left[kind] <= 0) {
              if (kind === 'telling') isWhole = false;
              continue;
            }
            left[kind] -= 1;
          }
          if (mayBeId(mention) && isIdIn(model, value)) return true;
          for (const tag of name === '' ? of.subjects.keys() : [name])
            if (of.subjects.has(tag) && isSubjectIn(model, tag, value)) return true;
        }
      }
    return isWhole ? false : 'unknown';
  };
  return {
    concerns: (versions) => [...versions].some(({ model }) => models.has(model)),
    prediction(row) {
      const of = models.get(row.model);
      if (of === undefined) return false;
      if (isId(row.model, row.predictionId)) return true;
      if (of.subjects.size === 0) return false;
      return row.tags.names.some(
        (tag, index) =>
          of.subjects.has(tag) &&
          isSubject(row.model, tag, row.tags.values[index] as string, row.timestampMs),
      );
    },
    bySubjectAlone: (row) => !isId(row.model, row.predictionId),
    label: (row) => isId(row.model, row.predictionId),
    rejected: (row) => isMentionedOf(row.model === '' ? models.keys() : [row.model], row.payload),
    async half(half) {
      const id = idOfCall(half.call);
      if (id !== null && isId(half.model, id)) return true;
      return (await isMentionedOf([half.model], half.payload)) === true;
    },
  };
}
