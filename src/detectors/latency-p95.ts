import { defineDetector } from './detector.js';
import { latencyQuantile } from './latency-quantile.js';

export const latencyP95 = defineDetector(latencyQuantile('latencyP95', 0.95, 'primary'));
