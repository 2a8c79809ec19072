import { defineDetector } from './detector.js';
import { latencyQuantile } from './latency-quantile.js';

export const latencyP99 = defineDetector(latencyQuantile('latencyP99', 0.99, 'descriptive'));
