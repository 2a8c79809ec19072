/**
 * Splits a SQL script at its semicolons, minding quotes and comments. Comments before a statement are dropped, those
 * inside stay.
 */
export function splitStatements(script: string): string[] {
  const statements: string[] = [];
  let text = '';
  let position = 0;
  while (position < script.length) {
    const token = nextToken(script, position);
    position += token.length;
    if (token === ';') {
      statements.push(text.trim());
      text = '';
    } else if (text.trim() !== '' || !/^(--|\/\*)/.test(token)) {
      text += token;
    }
  }
  statements.push(text.trim());
  return statements.filter((statement) => statement !== '');
}

const TOKENS = [
  /--[^\n]*/y,
  /\/\*[\s\S]*?(?:\*\/|$)/y,
  /'(?:[^'\\]|\\[\s\S]|'')*'/y,
  /`(?:[^`\\]|\\[\s\S])*`/y,
  /"(?:[^"\\]|\\[\s\S])*"/y,
  /[^-/'`";]+/y,
];

function nextToken(script: string, position: number): string {
  for (const token of TOKENS) {
    token.lastIndex = position;
    const match = token.exec(script);
    if (match !== null && match[0] !== '') return match[0];
  }
  return script.charAt(position);
}
