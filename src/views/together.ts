import { timeSeriesChart } from './charts/time-series.js';
import type { ModelData } from './data.js';
import { type Html, html } from './html.js';
import { section } from './parts.js';
import { detectorWords, unitOf } from './sentences.js';

/** How well windows are told from the reference by all features together; nothing where that is not judged. */
export function togetherSection({ together, range }: Pick<ModelData, 'together' | 'range'>): Html | string {
  if (together === null) return '';
  return section(
    'Features together',
    'drift that no single feature shows; 0.5 is as the reference',
    html`<figure><figcaption><b>${together.detector}</b> <span class="muted">${detectorWords(together.detector)}</span></figcaption>
${timeSeriesChart(together, { title: 'Features together over time', range, unit: unitOf(together) })}</figure>`,
  );
}
