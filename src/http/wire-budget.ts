import { AppError } from '../errors.js';

/** Values that one binary body may hold: two bytes can stand for an object that takes a hundred. */
const MAX_VALUES = 2_000_000;
export const MAX_DEPTH = 64;

/** Counts values and depth of a binary body while it is decoded. Throws payload_too_large, invalid_request. */
export function createWireBudget() {
  let values = 0;
  return (depth: number): void => {
    values += 1;
    if (values > MAX_VALUES)
      throw new AppError(
        'payload_too_large',
        `the body has more than ${MAX_VALUES} values: send it in smaller parts`,
      );
    if (depth > MAX_DEPTH)
      throw new AppError('invalid_request', `the body is nested deeper than ${MAX_DEPTH} levels`);
  };
}
