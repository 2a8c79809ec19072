import { describe, expect, test } from '@jest/globals';
import { parseHTML } from 'linkedom';
import type { Episode } from '../../../../src/domain/episode.js';
import { DAY_MS, type Window } from '../../../../src/domain/window.js';
import { heatmapChart } from '../../../../src/views/charts/heatmap.js';
import { buildHeatmap } from '../../../../src/views/summarise.js';
import { START_MS, verdictOf } from '../../../fakes/look-verdicts.js';
import { expectGood } from '../../../support/expect-picture.js';

const day = (index: number): Window => ({
  startMs: START_MS + index * DAY_MS,
  endMs: START_MS + (index + 1) * DAY_MS,
});
const range = { startMs: START_MS, endMs: START_MS + 5 * DAY_MS };
const undecided = {
  status: 'undecided',
  reason: 'too_few_rows',
  statistic: null,
  effect: null,
  threshold: null,
  pValue: null,
} as const;

describe('heatmap', () => {
  const draw = (verdicts: Parameters<typeof buildHeatmap>[1], features = ['temp']) =>
    heatmapChart(buildHeatmap(features, verdicts, [], range), { title: 'Drift' });

  test('has a cell per window, painted by look', () => {
    const text = expectGood(
      draw([
        verdictOf({ window: day(0) }),
        verdictOf({
          window: day(1),
          status: 'drifted',
          material: true,
          statistic: 1,
          effect: { value: 1, low: 1, high: 1 },
        }),
        verdictOf({ window: day(2), ...undecided }),
      ]),
    );
    expect(text.match(/<rect /g)).toHaveLength(3);
    expect(text).toContain('fill="var(--stable-1)"');
    expect(text).toContain('fill="var(--material-4)"');
    expect(text).toContain('fill="url(#hatch)"');
    expect(text).toContain('temp · 2 Mar 2013\ndrifted and material · 5.0× alarm');
  });

  test('cells tile the plot from edge to edge, in the rows of their labels, below the episodes', () => {
    const verdicts = ['a', 'b'].flatMap((feature) =>
      [0, 1, 2, 3, 4].map((index) => verdictOf({ feature, window: day(index) })),
    );
    const heatmap = buildHeatmap(['a', 'b'], verdicts, [], range);
    const episode: Episode = {
      id: 'e',
      model: 'm',
      modelVersion: '1',
      category: 'drift',
      severity: 'warning',
      state: 'open',
      firstWindow: day(1),
      openedBy: day(2),
      closedBy: null,
      lastWindow: day(2),
      drivers: [],
      openedAtMs: 0,
      closedAtMs: null,
    };
    const text = expectGood(heatmapChart(heatmap, { title: 'Drift', episodes: [episode] }));
    const { document } = parseHTML(`<html><body>${text}</body></html>`);
    const rects = [...document.querySelectorAll('[aria-label=cells] rect')].map((rect) =>
      ['x', 'width', 'y', 'height'].map((name) => Number(rect.getAttribute(name))),
    );
    const ys = [...new Set(rects.map(([, , y]) => y))];
    expect(ys).toEqual([8 + 21 + 1, 8 + 42 + 1]);
    const [left, width] = [rects[0]?.[0] ?? Number.NaN, rects[0]?.[1] ?? Number.NaN];
    expect(rects.slice(0, 5).map(([x]) => x)).toEqual(
      [0, 1, 2, 3, 4].map((index) => expect.closeTo(left + index * (width + 1.5), 1)),
    );
    const last = rects[4] ?? [];
    expect((last[0] ?? 0) + (last[1] ?? 0)).toBeCloseTo(1000 - 8 - 0.75, 1);
    // Labels are Plot's own: each at the top of its row, moved by half a row with their group.
    const heights = [...document.querySelectorAll('text')]
      .filter((node) => ['a', 'b'].includes(node.firstChild?.textContent ?? ''))
      .map((node) => Number(/translate\([^,]+,([\d.]+)\)/.exec(node.getAttribute('transform') ?? '')?.[1]));
    expect(heights).toEqual(ys.map((y) => (y ?? 0) - 1));
  });

  test('all undecided: nothing looks stable', () => {
    const text = expectGood(
      draw([0, 1, 2, 3, 4].map((index) => verdictOf({ window: day(index), ...undecided }))),
    );
    expect(text.match(/fill="url\(#hatch\)"/g)).toHaveLength(5);
    expect(text).not.toContain('stable');
  });

  test('an outage is drawn as no data in every row', () => {
    const run = {
      model: 'm',
      modelVersion: '1',
      window: day(1),
      referenceHash: '',
      status: 'no_data',
      rows: 0,
      atMs: 0,
    } as const;
    const heatmap = buildHeatmap(['a', 'b'], [verdictOf({ feature: 'a', window: day(0) })], [run], range);
    const text = expectGood(heatmapChart(heatmap, { title: 'Drift' }));
    expect(text.match(/fill="var\(--none\)"/g)).toHaveLength(2);
  });

  test('nothing judged: says so', () => {
    expect(draw([]).text).toContain('No window has been judged');
    expect(draw([verdictOf({})], []).text).toContain('No window has been judged');
  });

  test('infinite statistics stay in the picture', () => {
    const infinite = Number.POSITIVE_INFINITY;
    const verdict = verdictOf({
      status: 'drifted',
      material: true,
      statistic: infinite,
      effect: { value: infinite, low: 1, high: infinite },
    });
    const text = heatmapChart(buildHeatmap(['temp'], [verdict], [], range), { title: 'Drift' }).text;
    expect(text).not.toMatch(/NaN|="Infinity/);
    expect(text).toContain('var(--material-4)');
  });

  test('equal and awkward names keep rows of their own', () => {
    const names = ['__proto__', 'a"<b>', 'constructor'];
    const text = expectGood(
      draw(
        names.map((feature) => verdictOf({ feature })),
        names,
      ),
    );
    expect(text.match(/<rect /g)).toHaveLength(3);
    expect(text).toContain('a"&lt;b&gt;');
  });
});
