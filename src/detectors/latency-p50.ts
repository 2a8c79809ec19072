import { defineDetector } from './detector.js';
import { latencyQuantile } from './latency-quantile.js';

export const latencyP50 = defineDetector(latencyQuantile('latencyP50', 0.5, 'descriptive'));
