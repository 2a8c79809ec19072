import type { EstimatedFigure } from '../../domain/estimate.js';
import { normalHalfWidth } from '../../stats/special.js';

const Z_95 = normalHalfWidth(0.95);

/** A figure with its 95 % interval, whose two errors are independent; kept within what the figure can be. */
export function estimated(
  { value, standardError }: { readonly value: number; readonly standardError: number },
  calibrationError: number,
  [least, greatest]: readonly [number, number],
): EstimatedFigure {
  const half = Z_95 * Math.hypot(standardError, calibrationError);
  return {
    value,
    low: Math.max(least, value - half),
    high: Math.min(greatest, value + half),
    samplingError: standardError,
    calibrationError,
  };
}
