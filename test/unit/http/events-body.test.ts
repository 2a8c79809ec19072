import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type BodyEvent, parseEvents, type QuickReader } from '../../../src/http/events-body.js';

async function eventsOf(body: string | Buffer, contentType = 'application/json'): Promise<BodyEvent[]> {
  const events: BodyEvent[] = [];
  for await (const slice of parseEvents(Buffer.from(body), contentType))
    for (const event of slice.events) if ('ok' in event) events.push(event);
  return events;
}
const valuesOf = async (body: string, contentType?: string) =>
  (await eventsOf(body, contentType)).map((event) => (event.ok ? event.value : event.reason));

const event = fc.dictionary(fc.string(), fc.jsonValue());
/** As JSON.stringify writes it: -0 becomes 0, and no own key is lost. */
const asSent = (values: unknown[]) => JSON.parse(JSON.stringify(values)) as unknown[];

describe('the events of a body', () => {
  it('are the same however they are framed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(0, 2),
        async (events, indent) => {
          const texts = events.map((value) => JSON.stringify(value));
          const expected = asSent(events);
          expect(await valuesOf(JSON.stringify(events, null, indent))).toEqual(expected);
          expect(await valuesOf(texts.join('\n'))).toEqual(expected);
          expect(await valuesOf(texts.join('\r\n'), 'application/x-ndjson')).toEqual(expected);
          expect(await valuesOf(texts.join(''))).toEqual(expected);
          expect(
            await valuesOf(events.map((value) => JSON.stringify(value, null, indent)).join(' ')),
          ).toEqual(expected);
        },
      ),
    );
  });

  it.each([
    ['empty lines', `{"a":1}\n${'\n'.repeat(50_000)}{"b":2}\n`, [{ a: 1 }, { b: 2 }]],
    ['lines of blanks', `{"a":1}\n${' \t\r\n'.repeat(20_000)}{"b":2}\n`, [{ a: 1 }, { b: 2 }]],
    ['broken lines', `{"a":1}\n${'{\n'.repeat(5_000)}`, [{ a: 1 }, ...Array(5_000).fill('malformed_json')]],
    ['tiny values', '{}'.repeat(5_000), Array(5_000).fill({})],
  ])('come in slices that give others a turn: of %s', async (_, body, expected) => {
    expect(await valuesOf(body)).toEqual(expected);
    let slices = 0;
    for await (const slice of parseEvents(Buffer.from(body))) {
      const events = [...slice.events];
      expect(events.length).toBeLessThanOrEqual(2_000);
      slices += 1;
    }
    expect(slices).toBeGreaterThan(2);
  });

  it('may stand on one line, more of them than a call takes arguments', async () => {
    const body = `{"a":1}\n[${'{},'.repeat(300_000)}{}]\n{"b":1}`;
    expect(await valuesOf(body, 'application/x-ndjson')).toHaveLength(300_003);
  });

  it('cover the body, whatever its lines', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 300_000 }), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (sizes, ended) => {
          const body = Buffer.from(
            sizes.map((size) => `{"a":"${'x'.repeat(size)}"}`).join('\n') + (ended ? '\n' : ''),
          );
          let events = 0;
          let bytes = 0;
          for await (const slice of parseEvents(body, 'application/x-ndjson')) {
            events += [...slice.events].length;
            bytes += slice.bytes;
          }
          expect([events, bytes]).toEqual([sizes.length, body.length]);
        },
      ),
      { numRuns: 30, endOnFailure: true },
    );
  });

  it('that are read from their bytes are treated once, and only when they are the whole line', async () => {
    const treated: string[] = [];
    const bodies: unknown[] = [];
    const quick: QuickReader<string> = {
      begin: () => undefined,
      // Reads `{"q":1}` wherever it stands.
      read: (body, start) => (body.toString('utf8', start, start + 7) === '{"q":1}' ? `row ${start}` : null),
      end: () => 7,
      treat: (row) => {
        treated.push(row);
        return row;
      },
      learn: () => undefined,
    };
    for (const text of ['{"q":1}\n{"a":2}', '{"q":1} {"a":2}', '{"q":1}]'])
      for await (const { events } of parseEvents(Buffer.from(text), 'application/x-ndjson', quick))
        for (const one of events) bodies.push('row' in one ? one.row : one.ok ? one.value : one.reason);
    expect(bodies).toEqual(['row 0', { a: 2 }, { q: 1 }, { a: 2 }, { q: 1 }, 'malformed_json']);
    expect(treated).toEqual(['row 0']);
  });

  it('keep their text, so that a refused one can be repaired', async () => {
    const texts = ['{"a": 1e400, "b":  "\\u00e9é"}', '{"a":[1, 2]}'];
    for (const body of [`[${texts.join(' , ')}]`, texts.join('\n'), texts.join('')])
      expect((await eventsOf(body)).map(({ text }) => text)).toEqual(texts);
  });

  it.each([
    ['{"a":1}\n{"b":\n{"c":3}', [{ a: 1 }, 'malformed_json', { c: 3 }]],
    ['{"a":\n{"b":2}\n{"c":3}', ['malformed_json', { b: 2 }, { c: 3 }]],
    ['[{"a":1},{"b":2]', [{ a: 1 }, 'malformed_json', 'malformed_json']],
    ['[{"a":1},\n{"b":"x\n]', [{ a: 1 }, 'malformed_json']],
    ['[1, "two", null, [3]]', [1, 'two', null, [3]]],
    ['"text"', ['text']],
    ['{"a":1}]', [{ a: 1 }, 'malformed_json']],
    ['{"a":"}\\"{["}', [{ a: '}"{[' }]],
    ['{"a":1} trailing', [{ a: 1 }, 'malformed_json']],
    ['nonsense\n{"a":1}', ['malformed_json', { a: 1 }]],
    ['[', ['malformed_json']],
    ['', []],
  ])('of %j are %j', async (body, expected) => {
    expect(await valuesOf(body)).toEqual(expected);
  });

  it('may be pretty whatever the type says, and a cut first line of lines is only that', async () => {
    expect(await valuesOf(JSON.stringify([{ a: 1 }], null, 2), 'application/x-ndjson')).toEqual([{ a: 1 }]);
    expect(await valuesOf(JSON.stringify({ a: 1 }, null, 2), 'application/x-ndjson')).toEqual([{ a: 1 }]);
    const cut = '{"a":"x, "b\n{"c":2}\n{"d":3}';
    expect(await valuesOf(cut, 'application/x-ndjson')).toEqual(['malformed_json', { c: 2 }, { d: 3 }]);
  });

  it.each(['{"a":1,"b":{', '{"a":"x', '{"a', 'x', '}'])(
    'in an array with one on each line: %j, cut in the middle, costs no other',
    async (cut) => {
      for (const end of ['\n]', ']', '\n] '])
        expect(await valuesOf(`[{"b":1},\n${cut},\r\n{"c":[2]},\n{"d":3}${end}`)).toEqual([
          { b: 1 },
          'malformed_json',
          { c: [2] },
          { d: 3 },
        ]);
    },
  );

  it('are never lost, whatever the bytes: it does not throw, and covers each byte once', async () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ',',
      ':',
      '\n',
      ' ',
      '1',
      'a',
      '{"a":1}',
      'é',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(token, { maxLength: 60 }), fc.boolean(), async (tokens, lines) => {
        const body = Buffer.from(tokens.join(''));
        let bytes = 0;
        let text = '';
        for await (const slice of parseEvents(body, lines ? 'application/x-ndjson' : '')) {
          bytes += slice.bytes;
          for (const found of slice.events) if ('ok' in found) text += found.text;
        }
        expect(bytes).toBeLessThanOrEqual(body.length);
        // Whatever is not framing is in the text of some event.
        const content = (value: string) => value.replace(/[\s,[\]]/g, '');
        expect(content(text)).toBe(content(body.toString()));
      }),
      { numRuns: 1_000 },
    );
  });

  it('come in slices of bounded size', async () => {
    const line = JSON.stringify({ a: 'x'.repeat(1_000) });
    for (const body of [
      Array.from({ length: 2_000 }, () => line).join('\n'),
      `[${Array.from({ length: 2_000 }, () => line).join()}]`,
    ]) {
      let events = 0;
      for await (const slice of parseEvents(Buffer.from(body))) {
        expect(slice.bytes).toBeLessThan(300 * 1024);
        events += [...slice.events].length;
      }
      expect(events).toBe(2_000);
    }
  });
});
