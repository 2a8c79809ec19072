import { z } from 'zod';

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
});

export const json = (schema: z.ZodType) => ({
  schema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
});
const PROBLEM = { 'application/problem+json': json(problem) };
export const answer = (description: string, schema?: z.ZodType) => ({
  description,
  ...(schema === undefined ? {} : { content: { 'application/json': json(schema) } }),
});
export const failures = (...statuses: readonly (readonly [number, string])[]) =>
  Object.fromEntries(statuses.map(([status, description]) => [status, { description, content: PROBLEM }]));
export const DENIED = [
  [401, 'no valid key'],
  [403, 'the key does not cover this'],
] as const;

export const path = (name: string) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', maxLength: 120 },
});

/** The fields of a query schema as OpenAPI parameters. */
export function queryOf(schema: z.ZodObject): object[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: property,
  }));
}
