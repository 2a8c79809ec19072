import { cardinality } from './cardinality.js';
import { chiSquare } from './chi-square.js';
import { constant } from './constant.js';
import type { Detector } from './detector.js';
import { hellinger } from './hellinger.js';
import { jensenShannon } from './jensen-shannon.js';
import { ks } from './ks.js';
import { lInfinity } from './l-infinity.js';
import { latencyP50 } from './latency-p50.js';
import { latencyP95 } from './latency-p95.js';
import { latencyP99 } from './latency-p99.js';
import { meanShift } from './mean-shift.js';
import { missingShare } from './missing-share.js';
import { mistyped } from './mistyped.js';
import { neyman } from './neyman.js';
import { outOfRange } from './out-of-range.js';
import { psi } from './psi.js';
import { unseenShare } from './unseen-share.js';
import { varianceShift } from './variance-shift.js';
import { wasserstein } from './wasserstein.js';

/** Every detector that judges a column from profiles, in the order of their verdicts. Add one: a file and a line. */
export const COLUMN_DETECTORS: readonly Detector[] = [
  neyman(),
  ks(),
  wasserstein(),
  meanShift(),
  varianceShift(),
  chiSquare(),
  psi(),
  jensenShannon(),
  hellinger(),
  lInfinity(),
  missingShare(),
  unseenShare(),
  outOfRange(),
  constant(),
  mistyped(),
  cardinality(),
  latencyP50(),
  latencyP95(),
  latencyP99(),
];
