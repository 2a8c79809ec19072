import fc from 'fast-check';

/** When the events of these times are read: some lie in its future. */
export const EVENTS_READ_AT_MS = Date.UTC(2026, 0, 2);

export const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
  fc.tuple(fc.maxSafeInteger(), fc.nat(30)).map(([whole, digits]) => `${whole}.${'0'.repeat(digits)}7`),
  // As many digits as do not fit a double, at any place, with and without an exponent.
  fc
    .tuple(fc.bigInt(10n ** 14n, 10n ** 20n), fc.nat(28), fc.constantFrom('', 'e-5', 'E+7', 'e22', 'e-23'))
    .map(([digits, decimals, exponent]) => {
      const text = String(digits).padStart(decimals + 1, '0');
      const point = text.length - decimals;
      return `${text.slice(0, point)}${decimals === 0 ? '' : `.${text.slice(point)}`}${exponent}`;
    }),
  // Halfway between two doubles.
  fc.tuple(fc.bigInt(2n ** 52n, 2n ** 53n - 1n), fc.nat(5)).map(([whole, fives]) => {
    const text = String((2n * whole + 1n) * 5n ** BigInt(fives));
    const point = text.length - fives;
    return fives === 0 ? text : `${text.slice(0, point)}.${text.slice(point)}`;
  }),
  fc.constantFrom(
    '-0',
    '0',
    '1e400',
    '-1E+3',
    '1e-7',
    '01',
    '1.',
    '.5',
    '-',
    '+1',
    '9007199254740993',
    '0.1e',
    '28.04',
    '1e5x',
  ),
);
export const text = fc.oneof(
  fc.string().map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '""',
    '"é"',
    '"\\u0041"',
    '"a\\"b"',
    '"\ud800"',
    `"${'x'.repeat(9_000)}"`,
    '"a\tb"',
    '"EWR"',
    '"open',
  ),
);
export const time = fc.oneof(
  fc
    .date({ min: new Date(0), max: new Date(EVENTS_READ_AT_MS + 7_200_000), noInvalidDate: true })
    .map((date) => JSON.stringify(date)),
  fc.constantFrom(
    '"2026-01-01"',
    '1767225600',
    '1767225600123',
    '"2025-02-30T00:00:00Z"',
    '"2025-12-31T24:00:00Z"',
    '"2025-12-31T23:59:60Z"',
  ),
  fc.constantFrom(
    '"2025-12-31T10:00:00+02:00"',
    '"2025-12-31 10:00:00"',
    '"0099-01-01T00:00:00Z"',
    'null',
    '"2025-13-01T00:00:00.000Z"',
  ),
);
export const value = fc.oneof(number, text, fc.constantFrom('null', 'true', 'false', '[]', '{}', 'nul'));
