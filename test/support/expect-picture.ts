import { expect } from '@jest/globals';
import type { Html } from '../../src/views/html.js';

/** Every picture must be named, finite and closed. */
export function expectGood(picture: Html, pictures = 1): string {
  const { text } = picture;
  expect(text).not.toMatch(/NaN|Infinity|undefined/);
  expect(text.match(/<svg /g)?.length ?? 0).toBe(pictures);
  expect(text.match(/<\/svg>/g)?.length ?? 0).toBe(pictures);
  expect(text.match(/<svg role="img"[^>]*><title>[^<]+<\/title><desc>[^<]+<\/desc>/g)?.length ?? 0).toBe(
    pictures,
  );
  return text;
}
