import { readdirSync, readFileSync } from 'node:fs';
import { createRandom } from '../../src/stats/random.js';

const FIXTURES = new URL('../fixtures/formats/', import.meta.url);

interface Step {
  readonly body?: unknown;
  readonly bodyBase64?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Bodies of the format fixtures, as bytes. */
export function fixtureBodies(): {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}[] {
  return readdirSync(FIXTURES)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .flatMap((file) => {
      const fixture = JSON.parse(readFileSync(new URL(file, FIXTURES), 'utf8')) as Step & { steps?: Step[] };
      return (fixture.steps ?? [fixture]).map(({ body, bodyBase64, headers = {} }) => ({
        headers,
        bytes:
          bodyBase64 === undefined
            ? Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
            : Buffer.from(bodyBase64, 'base64'),
      }));
    });
}

/** Lines of events that are all written alike, as the quick reader likes them. */
export function plainLines(): { readonly bytes: Buffer; readonly headers: Readonly<Record<string, string>> } {
  const lines = Array.from({ length: 20 }, (_, i) =>
    JSON.stringify({
      prediction_id: `r${i}`,
      model: 'churn',
      model_version: '3',
      timestamp: '2026-01-01T00:00:00.123Z',
      features: { age: 31 + i, plan: i % 2 === 0 ? 'pro' : 'für "alle"', x: null },
      prediction: i % 2,
      prediction_proba: i / 20,
      latency_ms: 12.5,
      tags: { region: 'eu' },
    }),
  );
  return { bytes: Buffer.from(lines.join('\n')), headers: {} };
}

const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -0,
  -1,
  1e308,
  2 ** 53,
  1e-320,
  '',
  '0',
  'NaN',
  '__proto__',
  '\ud800',
  '\u0000',
  '{"a":',
  '[[1]]',
  'x'.repeat(9_000),
  [],
  {},
  [[]],
  [null],
  [1, 'a'],
  [0.5, 0.5],
  { name: 'x', shape: [2, -1], data: [1] },
  { name: 'x', shape: [4_294_967_296], data: [] },
  { values: [] },
  { ndarray: [[1, 2], [3]] },
  JSON.parse('{"__proto__":{"a":1},"constructor":2}'),
];
const NAMES = [
  'model',
  'model_version',
  'request',
  'response',
  'features',
  'data',
  'data_base64',
  'specversion',
  'type',
  'log',
  'message',
  'logRecord',
  'resourceLogs',
  '__proto__',
  'inputs',
  'instances',
  'predictions',
  'captureData',
  'tags',
  'row_index',
  'label',
];

export interface Fuzzer {
  /** From here on come the changes of the input of this number, whatever came before. */
  readonly begin: (input: number) => void;
  /** One of a list. */
  readonly pick: <T>(list: readonly T[]) => T;
  /** The value with some of its parts replaced, removed, renamed, doubled or nested. */
  readonly value: (value: unknown) => unknown;
  /** The bytes with some of them flipped, cut out, doubled, or moved. */
  readonly bytes: (bytes: Buffer) => Buffer;
}

/** Inputs of one seed: those of the next begin behind them. */
const MOST_INPUTS = 100_000_000;

/** Changes to inputs, the same for the same seed and number of the input. Throws RangeError for a seed above 90,000,000. */
export function createFuzzer(seed: number): Fuzzer {
  let random = createRandom(seed * MOST_INPUTS);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;

  function deep(levels: number): unknown {
    let value: unknown = pick(ODD);
    for (let level = 0; level < levels; level += 1)
      value = below(2) === 0 ? [value] : { [pick(NAMES)]: value };
    return value;
  }
  function replacement(value: unknown): unknown {
    switch (below(5)) {
      case 0:
        return deep(below(40));
      case 1:
        return [value, value];
      case 2:
        return JSON.stringify(value);
      case 3:
        return { [pick(NAMES)]: value };
      default:
        return pick(ODD);
    }
  }
  function change(value: unknown, chance: number): unknown {
    if (random() < chance) return replacement(value);
    if (Array.isArray(value)) {
      const items = value.map((item) => change(item, chance));
      if (random() < chance) items.splice(below(items.length + 1), below(2), pick(ODD));
      return items;
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value)
      .filter(() => random() > chance / 2)
      .map(([name, member]): [string, unknown] => [
        random() < chance / 2 ? pick(NAMES) : name,
        change(member, chance),
      ]);
    if (random() < chance) entries.push([pick(NAMES), pick(ODD)]);
    return Object.fromEntries(entries);
  }

  return {
    begin: (input) => {
      random = createRandom(seed * MOST_INPUTS + input);
    },
    pick,
    value: (value) => change(value, pick([0.01, 0.05, 0.2])),
    bytes: (bytes) => {
      let out = Buffer.from(bytes);
      for (let changes = 1 + below(6); changes > 0 && out.length > 0; changes -= 1) {
        const at = below(out.length);
        const length = below(Math.min(64, out.length - at));
        switch (below(5)) {
          case 0:
            out[at] = below(256);
            break;
          case 1:
            out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
            break;
          case 2:
            out = Buffer.concat([out.subarray(0, at + length), out.subarray(at)]);
            break;
          case 3:
            out = out.subarray(0, at);
            break;
          default:
            // Lengths that promise much more than there is.
            out = Buffer.concat([out.subarray(0, at), pick(PROMISES), out.subarray(at)]);
        }
      }
      return out;
    },
  };
}

const PROMISES = [
  'ffffffffffffffffff01',
  'dd7fffffff',
  'dfffffffff',
  'dbffffffff',
  'c9ffffffff00',
  '0affffffff0f',
  '5b5b5b5b5b5b',
  '7b226122 3a',
].map((hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex'));
