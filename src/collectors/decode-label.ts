import {
  ALIASES,
  type DecodeContext,
  type DecodedLabel,
  decoding,
  eventKey,
  eventTime,
  pick,
  unusable,
} from './decode-event.js';

const MAX_LABEL_LENGTH = 8_192;

/** A parsed label event → a row, or the reason why not. Never throws for data. */
export function decodeLabel(value: unknown, context: DecodeContext): DecodedLabel {
  return decoding(value, (fields) => {
    const { model, modelVersion, predictionId, rowIndex } = eventKey(fields, context);
    const label = pick(fields, ALIASES.label);
    if (label === undefined || label === null) unusable('missing_field', 'label is missing');
    const value = typeof label === 'boolean' ? Number(label) : label;
    const usable =
      (typeof value === 'number' && Number.isFinite(value)) ||
      (typeof value === 'string' && value.length <= MAX_LABEL_LENGTH);
    if (!usable) unusable('invalid_field', 'label must be a finite number or text');
    return {
      model,
      modelVersion,
      predictionId,
      rowIndex,
      timestampMs: eventTime(fields, model, context),
      label: value as number | string,
      source: context.source,
    };
  });
}
