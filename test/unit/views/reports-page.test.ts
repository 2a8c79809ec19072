import { describe, expect, it } from '@jest/globals';
import { renderReportsPage } from '../../../src/views/reports-page.js';
import { factsOf } from '../../support/reports.js';

describe('the page of reports', () => {
  it('lists those that are kept, with links to each form, and escapes what comes from outside', () => {
    const entry = { ...factsOf({ model: 'a/<b>', summary: 'x <img>', missed: 2 }), versions: ['1'] };
    const page = renderReportsPage({ reports: [entry], files: [], nowMs: 0 });
    expect(page).toContain('href="/models/a%2F%3Cb%3E/reports/rep_1"');
    expect(page).toContain('href="/v1/models/a%2F%3Cb%3E/reports/rep_1.md"');
    expect(page).toContain('5 Jan 2026');
    expect(page).toContain('x &lt;img&gt;');
    expect(page).toContain('2 earlier ones missed');
    expect(page).not.toMatch(/<img|NaN|undefined/);
  });

  it('says how to get one where there is none', () => {
    const page = renderReportsPage({ reports: [], files: [], nowMs: 0 });
    expect(page).toContain('plumbline report run MODEL');
  });
});
