import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '../../src/metrics.js';
import { createSidecarMetrics } from '../../src/sidecar/metrics.js';

interface Row {
  readonly name: string;
  readonly type: string;
  readonly labels: string[];
}

function documented(): Row[] {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  return [...page.matchAll(/^\| `(plumbline_\w+)` \| (\w+) \| ([^|]*)\|/gm)].map(
    ([, name, type, labels]) => ({
      name: name ?? '',
      type: type ?? '',
      labels: [...(labels ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''),
    }),
  );
}

/** prom-client keeps label names to itself; its own registries are asked for them. */
function exported(): Row[] {
  const registries = [createMetrics().registry, createSidecarMetrics(() => null).registry];
  return registries
    .flatMap((registry) => registry.getMetricsAsArray())
    .map((metric) => ({
      name: metric.name,
      type: String(metric.type),
      labels: [...((Reflect.get(metric, 'labelNames') as string[] | undefined) ?? [])],
    }));
}

const byName = (rows: Row[]) => rows.toSorted((a, b) => a.name.localeCompare(b.name));

describe('docs/metrics.md', () => {
  it('documents every metric with its type and labels, and no other', () => {
    expect(byName(documented())).toEqual(byName(exported()));
  });

  it('has no label that Prometheus sets itself', () => {
    const reserved = new Set(['job', 'instance', 'le', 'quantile']);
    expect(exported().filter((metric) => metric.labels.some((label) => reserved.has(label)))).toEqual([]);
  });
});
