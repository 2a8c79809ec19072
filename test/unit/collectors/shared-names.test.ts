import { expect, test } from '@jest/globals';
import { createSharedNames } from '../../../src/collectors/shared-names.js';

test('gives equal lists as one array, in whatever order they come', () => {
  const shared = createSharedNames();
  const first = ['a', 'b'];
  const second = ['b', 'a'];
  expect(shared(first)).toBe(first);
  expect(shared(second)).toBe(second);
  expect(shared(['a', 'b'])).toBe(first);
  expect(shared(['b', 'a'])).toBe(second);
  expect(shared(['a', 'b'])).toBe(first);
  expect(shared(['a'])).toEqual(['a']);
});

test('forgets the oldest of too many forms, and never mixes them up', () => {
  const shared = createSharedNames(2);
  const forms = ['a', 'b', 'c'].map((name) => [name]);
  for (const form of forms) expect(shared(form)).toBe(form);
  const kept = forms.filter((form) => shared([...form]) === form);
  expect(kept.length).toBeLessThanOrEqual(2);
  for (let turn = 0; turn < 50; turn += 1) expect(shared([`x${turn % 7}`])).toEqual([`x${turn % 7}`]);
});
