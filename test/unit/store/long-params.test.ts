import { describe, expect, it } from '@jest/globals';
import { withLongParams } from '../../../src/store/long-params.js';

const SQL =
  'SELECT {ids:Array(String)}, {model:String}, {of:Array(Array(String))}, has({ids:Array(String)}, {n:UInt32})';
const PARAMS = { ids: ["it's", '\\ü$&'], model: 'm', of: [['a'], []], n: 1 };

describe('long parameters', () => {
  it('leave a statement as it is while they are short', () => {
    expect(withLongParams(SQL, PARAMS)).toEqual({ sql: SQL, params: PARAMS });
  });

  it('stand in the statement as literals, the longest first, until the others fit', () => {
    const long = 'x'.repeat(5_000);
    const { sql, params } = withLongParams(SQL, { ...PARAMS, of: [[long]] });
    expect(params).toEqual({ ids: PARAMS.ids, model: 'm', n: 1 });
    expect(sql).toBe(
      SQL.replace('{of:Array(Array(String))}', `CAST('[[\\'${long}\\']]', 'Array(Array(String))')`),
    );
  });

  it('that are texts stand there as they are, quoted', () => {
    const model = `it's $& \\ ${'y'.repeat(5_000)}`;
    const { sql, params } = withLongParams(SQL, { ...PARAMS, model });
    expect(params).toEqual({ ids: PARAMS.ids, of: PARAMS.of, n: 1 });
    expect(sql).toContain(`'it\\'s $& \\\\ yyy`);
  });

  it('of other types, and those that the statement does not name, stay parameters', () => {
    const params = { n: 'z'.repeat(5_000), other: 'z'.repeat(5_000) };
    expect(withLongParams('SELECT {n:UInt32}', params)).toEqual({ sql: 'SELECT {n:UInt32}', params });
  });
});
