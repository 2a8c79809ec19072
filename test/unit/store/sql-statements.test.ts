import { describe, expect, test } from '@jest/globals';
import { splitStatements } from '../../../src/store/sql-statements.js';

describe('splitStatements', () => {
  test('splits at semicolons and drops what is empty', () => {
    expect(splitStatements('SELECT 1;\n\n SELECT 2 ;;\n')).toEqual(['SELECT 1', 'SELECT 2']);
  });

  test('leaves semicolons in quotes and comments alone', () => {
    expect(
      splitStatements(
        "SELECT ';', 'it''s; \\'; fine', `a;b`, \"c;d\" -- no; end\n, 2 /* nor; here */ - 1 / 2; SELECT 3",
      ),
    ).toEqual([
      "SELECT ';', 'it''s; \\'; fine', `a;b`, \"c;d\" -- no; end\n, 2 /* nor; here */ - 1 / 2",
      'SELECT 3',
    ]);
  });

  test('drops comments before a statement and scripts of comments only', () => {
    expect(splitStatements('-- why; so\n/* and; more */ SELECT 1; -- the end;')).toEqual(['SELECT 1']);
  });

  test('keeps a quote that is never closed as text, for the engine to complain about', () => {
    expect(splitStatements("SELECT 'a; b")).toEqual(["SELECT 'a", 'b']);
  });
});
