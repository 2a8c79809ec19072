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

/** Values of one message that are hashed although their names say nothing: a message can have a hundred thousand. */
const MAX_LOOKS = 500;
/** Of those without a name, which stand in quotes in what cannot be read: each once, and for all models together. */
const MAX_NAMELESS_LOOKS = 10_000;
/** Of ids and tags, for all models together; and for each of them at least. */
const MAX_NAMED_LOOKS = 20_000;
const MIN_NAMED_LOOKS = 1_000;

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
  /** Of a message whose time is not known: it was before, as it could not be read. It is read once, whatever the number of models. */
  const isMentionedOf = (names: Iterable<string>, text: string): boolean => {
    const all = [...names].flatMap((model) => {
      const of = models.get(model);
      return of === undefined ? [] : [{ model, of, looks: MAX_LOOKS, named: 0 }];
    });
    if (all.length === 0) return false;
    const nameless = new Set<string>();
    const maxNameless = Math.max(MAX_LOOKS, MAX_NAMELESS_LOOKS / all.length);
    const maxNamed = Math.max(MIN_NAMED_LOOKS, MAX_NAMED_LOOKS / all.length);
    const targetsOf = targetsIn(text);
    if (targetsOf !== null)
      for (const { model } of all)
        for (const [index, target] of [...targetsOf(model)].entries()) {
          if (index >= maxNamed) break;
          if (isTarget(model, target)) return true;
        }
    // In place of targets that were not looked at, values whatever their names.
    for (const mentions of targetsOf === null ? [mentionsIn(text), quotedIn(text)] : [mentionsIn(text)])
      for (const mention of mentions) {
        if (mention.name === '') {
          if (nameless.size >= maxNameless || nameless.has(mention.value)) continue;
          nameless.add(mention.value);
        }
        for (const each of all) {
          const { model, of } = each;
          if (mention.name !== '' && !isIdName(mention.name) && !of.subjects.has(mention.name)) {
            if (each.looks === 0) continue;
            each.looks -= 1;
          }
          if (mention.name !== '') {
            if (each.named >= maxNamed) continue;
            each.named += 1;
          }
          if (mayBeId(mention) && isIdIn(model, mention.value)) return true;
          const tags = mention.name === '' ? of.subjects.keys() : [mention.name];
          for (const tag of tags)
            if (of.subjects.has(tag) && isSubjectIn(model, tag, mention.value)) return true;
        }
      }
    return false;
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
    half(half) {
      const id = idOfCall(half.call);
      return (id !== null && isId(half.model, id)) || isMentionedOf([half.model], half.payload);
    },
  };
}
