import { describe, expect, it } from '@jest/globals';
import type { EventReader } from '../../../src/collectors/event-reader.js';
import { keptRow } from '../../../src/domain/row-list.js';
import { FEATURES, open, ordinary, PLAIN, quick, source, write } from '../../support/reader-events.js';

const learn = (reader: EventReader, text: string) => {
  const event = Buffer.from(text);
  reader.learn(event, 0, event.length);
};
const read = (reader: EventReader, text: string) => reader.read(Buffer.from(text), 0, source);

describe('learning how events are written', () => {
  it('learns no form whose reading could differ from parsing', () => {
    const known = write(PLAIN, FEATURES);
    for (const form of [
      known.replace('"extra"', '"age\\u0041"'),
      known.replace('"extra"', '"prediction_id"'),
      known.replace('"extra"', '"id"'),
      known.replace('"extra":7', '"extra":[7]'),
      known.replace('"age"', '"2013"'),
      known.replace('"age"', '"prediction"'),
      known.replace('"age"', '"plan"'),
      known.replace('"features"', '"inputs"'),
      known.replace(', "model"', ',\n"model"'),
      known.slice(0, -1),
    ])
      expect(quick(form, form)).toBeNull();
  });

  it('gives up learning where no event is like another', () => {
    const reader = open();
    for (let index = 0; index < 300; index += 1) {
      const event = Buffer.from(write(PLAIN, { [`f${index}`]: '1' }));
      expect(reader.read(event, 0, source)).toBeNull();
      reader.learn(event, 0, event.length);
    }
    const last = Buffer.from(write(PLAIN, { f299: '1' }));
    expect(reader.read(last, 0, source)).toBeNull();
  });

  it('keeps nothing of the memory in which an event stood, which is the next body', () => {
    const reader = open();
    const memory = Buffer.alloc(4_096);
    const events = [
      write(PLAIN, { age: '1', other: '2' }),
      write(PLAIN, { other: '1', age: '2' }),
      write({ ...PLAIN, extra: '"x"' }, { other: '5', age: '6' }),
    ];
    for (const event of events.slice(0, 2)) {
      memory.fill(' ').write(event);
      reader.learn(memory, 0, event.length);
    }
    memory.fill('x');
    const rows = events.map((event) => {
      const row = read(reader, event);
      return row === null ? null : keptRow(row);
    });
    expect(rows).toEqual(events.map(ordinary));
  });

  it('has no form of an envelope, of keys beyond all measure, and of an event that is too large to be read', () => {
    const form = write(PLAIN, FEATURES);
    const wide = Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`k${index}`, '1']));
    for (const known of [
      form.replace('"extra"', '"specversion"'),
      form.replace('"extra"', `"${'k'.repeat(200_000)}"`),
      form.replace('"extra":7', `"extra":"${'x'.repeat(80_000)}"`),
      form.replace(
        '"extra":7',
        Object.entries(wide)
          .map(([key, value]) => `"${key}":${value}`)
          .join(','),
      ),
    ])
      expect(quick(known, known)).toBeNull();
  });

  it('takes an event with blanks behind it for a whole line', () => {
    const reader = open();
    const event = write(PLAIN, FEATURES);
    learn(reader, event);
    const body = Buffer.from(`${event} \t\r\n${event}`);
    expect(reader.read(body, 0, source)).not.toBeNull();
    expect(body[reader.end()]).toBe('\n'.charCodeAt(0));
  });

  it('learns a sender that comes after many others whose lines are none of ours', () => {
    const reader = open();
    for (let index = 0; index < 2_000; index += 1) learn(reader, '{}');
    reader.begin();
    learn(reader, write(PLAIN, FEATURES));
    expect(read(reader, write(PLAIN, FEATURES))).not.toBeNull();
  });

  it('knows the forms of a sender that leaves out what is empty, and forgets what has not come for long', () => {
    const reader = open();
    const forms = Array.from({ length: 24 }, (_, index) => write(PLAIN, { ...FEATURES, [`f${index}`]: '1' }));
    const known = (event: string) => read(reader, event) !== null;
    for (const event of forms.slice(0, 16)) learn(reader, event);
    expect(forms.slice(0, 16).map(known)).not.toContain(false);
    // The first is read again and again, and stays; the second, which came longest ago, goes.
    for (let time = 0; time < 300; time += 1) expect(known(forms[0] as string)).toBe(true);
    learn(reader, forms[20] as string);
    expect([forms[20], forms[0], forms[1]].map((event) => known(event as string))).toEqual([
      true,
      true,
      false,
    ]);
  });
});
