/**
 * How a prediction names the request that it answers, so that two versions' answers to one request can be found: `{request}`
 * (the prediction id is the request's), a prediction id made of it and the version (`{request}-v{version}`), or a tag (`tags.NAME`).
 */
export type RequestId = string;

export const REQUEST = '{request}';
const VERSION = '{version}';
const TAG = 'tags.';

/** Where a version's rows hold the request: in a tag (`tag` not empty), else in the prediction id between prefix and suffix. */
export interface RequestRule {
  readonly tag: string;
  readonly prefix: string;
  readonly suffix: string;
}

/** What is wrong with a rule, or null. */
export function requestIdProblem(requestId: RequestId): string | null {
  if (requestId.startsWith(TAG))
    return requestId.length > TAG.length ? null : 'tags. needs the name of a tag';
  return requestId.split(REQUEST).length === 2
    ? null
    : 'must hold {request} once, e.g. "{request}-v{version}", or be tags.NAME';
}

/** The rule for one version. Throws RangeError for a rule with a problem. */
export function requestRuleOf(requestId: RequestId, modelVersion: string): RequestRule {
  const problem = requestIdProblem(requestId);
  if (problem !== null) throw new RangeError(`requestId ${requestId} ${problem}`);
  if (requestId.startsWith(TAG)) return { tag: requestId.slice(TAG.length), prefix: '', suffix: '' };
  const [prefix = '', suffix = ''] = requestId.replaceAll(VERSION, modelVersion).split(REQUEST);
  return { tag: '', prefix, suffix };
}
