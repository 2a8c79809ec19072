import { describe, expect, it } from '@jest/globals';
import { answerOf } from '../../../../src/collectors/formats/answers.js';
import { type ModelMapping, NO_MAPPING } from '../../../../src/domain/mapping.js';

const with_ = (over: Partial<ModelMapping>): ModelMapping => ({ ...NO_MAPPING, ...over });
const read = (row: unknown, over: Partial<ModelMapping> = {}, names: string[] | null = null) =>
  answerOf(row, names, with_(over));

describe('an answer', () => {
  it.each([
    ['a value', 3.5, {}, { prediction: 3.5 }],
    ['a class', 'good', {}, { prediction: 'good' }],
    ['a list of one', [[3.5]], {}, { prediction: 3.5 }],
    ['two probabilities', [0.25, 0.75], {}, { prediction: 1, prediction_proba: 0.75 }],
    [
      'probabilities of named classes',
      [0.7, 0.2, 0.1],
      { classes: ['a', 'b', 'c'] },
      { prediction: 'a', prediction_proba: { a: 0.7, b: 0.2, c: 0.1 } },
    ],
    ['a probability', 0.3, { output: 'probability' }, { prediction: 0, prediction_proba: 0.3 }],
    [
      'a probability, with names and threshold',
      [0.3],
      { output: 'probability', threshold: 0.2, classes: ['no', 'yes'] },
      { prediction: 'yes', prediction_proba: 0.3 },
    ],
    ['fields', { predict: [1], predict_proba: [0.1, 0.9] }, {}, { prediction: 1, prediction_proba: 0.9 }],
    [
      'fields elsewhere',
      { a: { b: 'x' }, p: 0.4 },
      { prediction: 'a.b', probability: 'p' },
      { prediction: 'x', prediction_proba: 0.4 },
    ],
    ['one field', { dense_2: [0.1, 0.9] }, {}, { prediction: 1, prediction_proba: 0.9 }],
  ] as const)('that is %s is read', (_name, row, over, expected) => {
    expect(read(row, over)).toEqual(expected);
  });

  it.each([
    ['a list that is no probabilities', [3, 4], {}],
    ['an empty list', [], {}],
    ['fields of unknown names', { a: 1, b: 2 }, {}],
    ['a probability beside something unknown', { score: 0.7, verdict: 2 }, {}],
    ['other classes than are named', [0.5, 0.5], { classes: ['a', 'b', 'c'] }],
    ['no probability where one is promised', 7, { output: 'probability' }],
  ] as const)('that is %s is refused, since it could mean several things', (_name, row, over) => {
    expect(() => read(row, over as Partial<ModelMapping>)).toThrow(/mapping|places/);
  });

  it.each([
    ['FastAPI', { detail: 'Internal error' }],
    ['FastAPI, a wrong request', { detail: [{ loc: ['body'], msg: 'field required' }] }],
    ['KServe', { error: 'boom' }],
    ['a gateway', { message: 'no healthy upstream' }],
    ['one of several rows', { error: { code: 500 }, message: 'boom' }],
    ['GraphQL', { errors: ['boom'] }],
  ])('that is what %s says of a failed call is refused', (_name, row) => {
    expect(() => read(row)).toThrow(
      expect.objectContaining({
        reason: 'unsupported_payload',
        message: expect.stringMatching(/^the call failed/),
      }),
    );
    expect(() => read([row], { output: 'probability' })).toThrow(/^the call failed/);
  });

  it('that has such a field beside others, is a number, or is named in the mapping is none of those', () => {
    expect(read({ prediction: 1, message: 'ok' })).toEqual({ prediction: 1 });
    expect(read({ error: [0.25] })).toEqual({ prediction: 0.25 });
    expect(read({ message: 'spam' }, { prediction: 'message' })).toEqual({ prediction: 'spam' });
  });

  it('has names for its places where the body tells them', () => {
    expect(read([3, 0.5], {}, ['label', 'score'])).toEqual({ prediction: 3, prediction_proba: 0.5 });
  });
});
