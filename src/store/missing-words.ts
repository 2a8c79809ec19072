/** What people write for "no value" in a column of numbers. */
export const MISSING_WORDS = ['', 'na', 'n/a', '#n/a', '<na>', 'nan', 'null', 'none', 'nil', '-', '?', '\\n'];

const LIST = MISSING_WORDS.map((word) => `'${word.replaceAll('\\', '\\\\')}'`).join(', ');

/** Expression: whether a text stands for a gap. */
export const isGap = (text: string) => `lower(trimBoth(${text})) IN (${LIST})`;

/** Expression: what a text among numbers is: 0 a gap, 1 a number, 2 neither, as are codes with leading zeros. */
export const gapOrNumber = (text: string) =>
  `multiIf(${isGap(text)}, 0, isNull(toFloat64OrNull(${text})) OR match(${text}, '^[-+]?0[0-9]'), 2, 1)`;
