import { answer, DENIED, failures, json, path, queryOf } from './openapi-parts.js';
import { reportFacts, reportList, reportRunBody, reportsQuery } from './report-schemas.js';

/** Reports that were made, and one now. */
export function reportPaths() {
  const missing = [404, 'there is none'] as const;
  const text = { schema: { type: 'string' } };
  return {
    '/v1/models/{model}/reports': {
      get: {
        summary: 'Reports of a model, newest first',
        parameters: [path('model'), ...queryOf(reportsQuery)],
        responses: {
          200: answer('found', reportList),
          ...failures([400, 'a parameter is wrong'], ...DENIED),
        },
      },
      post: {
        summary: 'Make a report now, and announce it if asked to',
        parameters: [path('model')],
        requestBody: { required: false, content: { 'application/json': json(reportRunBody) } },
        responses: {
          201: answer('made: its facts, and links to it'),
          ...failures([400, 'the body is wrong, or there is nobody to tell'], ...DENIED, [
            404,
            'not registered, or no such schedule',
          ]),
        },
      },
    },
    '/v1/models/{model}/reports/{id}': {
      get: {
        summary:
          'A report: its facts as JSON (also as `{id}.json`), its page as `{id}.html`, or Markdown as `{id}.md`',
        parameters: [path('model'), path('id')],
        responses: {
          200: {
            description: 'found',
            content: { 'application/json': json(reportFacts), 'text/html': text, 'text/markdown': text },
          },
          ...failures(...DENIED, missing),
        },
      },
    },
  };
}
