import { describe, expect, it } from '@jest/globals';
import { eventsOfRow } from '../../../src/cli/import-rows.js';

const ROW = { timestamp: '2026-01-01T00:00:00Z', age: 31, prediction: 1, target: null as number | null };
const idOf = (row: object, place = 'part.csv#0') => {
  const { prediction, label } = eventsOfRow({ ...ROW, ...row }, place);
  return [prediction?.prediction_id, label?.prediction_id];
};

describe('a row without an id', () => {
  it('is known by its place and what is in it', () => {
    const [id] = idOf({});
    expect(id).toMatch(/^part\.csv#0-[0-9a-f]{12}$/);
    expect(idOf({})).toEqual([id, undefined]);
    expect(idOf({ age: 32 })[0]).not.toBe(id);
    expect(idOf({}, 'part.csv#1')[0]).not.toBe(id);
  });

  it('is the same once its label is known, and its label is of it', () => {
    const [id] = idOf({});
    expect(idOf({ target: 1 })).toEqual([id, id]);
  });

  it('is the same where a column of numbers is one of texts by now', () => {
    expect(idOf({ age: '31', prediction: '1.0' })[0]).toBe(idOf({})[0]);
  });

  it('has the id of its column where there is one', () => {
    expect(idOf({ id: '007' })[0]).toBe('007');
    expect(idOf({ id: null })[0]).toMatch(/^part\.csv#0-/);
  });
});
