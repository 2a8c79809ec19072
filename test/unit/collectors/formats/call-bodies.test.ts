import { describe, expect, it } from '@jest/globals';
import { bodyOf } from '../../../../src/collectors/formats/body-text.js';
import { requestRows, responseRows, spread } from '../../../../src/collectors/formats/call-bodies.js';

const V2 = (shape: number[], data: unknown) => ({ inputs: [{ name: 'x', datatype: 'FP32', shape, data }] });

describe('the rows of a request', () => {
  it.each([
    ['instances', { instances: [[1, 2]] }, null, [[1, 2]]],
    ['instances with names', { instances: [{ a: 1 }] }, null, [{ a: 1 }]],
    ['dataframe_split', { dataframe_split: { columns: ['a'], data: [[1]] } }, ['a'], [[1]]],
    [
      'columns',
      { inputs: { a: [1, 2], b: ['x', 'y'] } },
      null,
      [
        { a: 1, b: 'x' },
        { a: 2, b: 'y' },
      ],
    ],
    ['one row of columns', { inputs: { a: 1, b: 'x' } }, null, [{ a: 1, b: 'x' }]],
    [
      'a flat matrix',
      V2([2, 2], [1, 2, 3, 4]),
      null,
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'a nested matrix',
      V2(
        [2, 2],
        [
          [1, 2],
          [3, 4],
        ],
      ),
      null,
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['one column', V2([2, 1], [1, 2]), null, [{ x: 1 }, { x: 2 }]],
    ['no rows', V2([0, 4], []), null, []],
    ['a list', [[1], [2]], null, [[1], [2]]],
  ])('as %s', (_name, body, names, rows) => {
    expect(requestRows(body)).toEqual({ names, rows });
  });

  it.each([
    ['another form', { text: 'hello' }, /no form that is read/],
    ['raw bytes', { inputs: [{ name: 'x', shape: [1], parameters: { binary_data_size: 4 } }] }, /raw bytes/],
    ['a wrong shape', V2([3, 2], [1, 2, 3, 4]), /4 values instead of 6/],
    ['a shape of nonsense', V2([-1, 2.5], [1]), /whole numbers/],
    ['a shape that would fill the memory', V2([4_000_000_000, 0], []), /at most 50000/],
    ['columns of different length', { inputs: { a: [1], b: [] } }, /different lengths/],
  ])('are refused as %s', (_name, body, message) => {
    expect(() => requestRows(body)).toThrow(message);
  });
});

describe('the rows of an answer', () => {
  it('are one for an object of its own form', () => {
    expect(responseRows({ probabilities: [0.1, 0.9] }).rows).toEqual([{ probabilities: [0.1, 0.9] }]);
  });

  it('are spread where one list answers all rows', () => {
    expect(spread({ names: null, rows: [[1, 2, 3]] }, 3).rows).toEqual([1, 2, 3]);
    expect(spread({ names: null, rows: [[1, 2, 3]] }, 1).rows).toEqual([[1, 2, 3]]);
  });
});

describe('a body as text', () => {
  it('is CSV where that is said', () => {
    const csv = '5.1,"a ""b"", c",,-1e3\r\n\r\n2,x,y,.5\n';
    const rows = [
      [5.1, 'a "b", c', null, -1000],
      [2, 'x', 'y', 0.5],
    ];
    expect(bodyOf({ value: csv, encoding: 'CSV' })).toEqual(rows);
    expect(bodyOf({ value: csv, contentType: 'text/csv; charset=utf-8' })).toEqual(rows);
    const base64 = Buffer.from(csv).toString('base64');
    expect(bodyOf({ value: base64, encoding: 'BASE64', contentType: 'text/csv' })).toEqual(rows);
  });

  it('is JSON otherwise, or refused', () => {
    expect(bodyOf({ value: '{"a":1}' })).toEqual({ a: 1 });
    expect(bodyOf({ value: { a: 1 } })).toEqual({ a: 1 });
    expect(() => bodyOf({ value: 'hello' })).toThrow(/neither JSON/);
    expect(() => bodyOf({ value: '"a', encoding: 'CSV' })).toThrow(/quote/);
  });
});
