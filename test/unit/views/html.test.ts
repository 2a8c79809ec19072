import { describe, expect, test } from '@jest/globals';
import { escapeHtml, html, nameTag, raw, shorten, sitePath, visible } from '../../../src/views/html.js';

describe('html', () => {
  test('escapes text and quoted attributes', () => {
    const attack = `"><img src=x onerror='alert(1)'>&`;
    const page = html`<p title="${attack}">${attack}</p>`.text;
    const safe = '&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;';
    expect(page).toBe(`<p title="${safe}">${safe}</p>`);
  });

  test('joins arrays, keeps markup, drops nothing-values, prints zero', () => {
    const items = [html`<i>1</i>`, null, undefined, false, true, 0, '<'];
    expect(html`${items}${raw('<b>')}`.text).toBe('<i>1</i>0&lt;<b>');
  });

  test('an object that only looks like markup is not trusted', () => {
    const forged = { text: '<script>' } as unknown as string;
    expect(() => html`${forged}`.text).toThrow(TypeError);
  });
});

describe('visible', () => {
  test('shows what would hide or reorder text', () => {
    expect(visible('a\u202eb\u0000c\u200bd\ufeff\u2066\ud800e')).toBe('a�b�c�d���e');
    expect(visible('two\nlines\tand 🙂 فارسی')).toBe('two\nlines\tand 🙂 فارسی');
  });

  test('applies to everything that is escaped', () => {
    expect(escapeHtml('\u202e<')).toBe('�&lt;');
  });
});

describe('names', () => {
  test('are cut by code points, never inside one', () => {
    expect(shorten('🙂🙂🙂🙂', 3)).toBe('🙂🙂…');
    expect(shorten('abc', 3)).toBe('abc');
    expect(shorten('x'.repeat(10_000), 20)).toHaveLength(20);
    expect(shorten('a\nb', 5)).toBe('a b');
  });

  test('keep the whole name in the tooltip, up to a limit', () => {
    expect(nameTag('temp').text).toBe('<bdi>temp</bdi>');
    expect(nameTag('x'.repeat(80), 10).text).toBe(`<bdi title="${'x'.repeat(80)}">${'x'.repeat(9)}…</bdi>`);
    expect(nameTag('<'.repeat(10_000)).text.length).toBeLessThan(2_500);
  });

  test('cannot leave their path segment', () => {
    expect(sitePath('models', '../a?b#c/d', '\ud800')).toBe('/models/..%2Fa%3Fb%23c%2Fd/%EF%BF%BD');
  });
});
