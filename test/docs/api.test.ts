import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ALIASES } from '../../src/collectors/decode-event.js';
import { openapiDocument } from '../../src/http/openapi.js';
import { labelEvent, predictionEvent } from '../../src/http/openapi-ingest.js';
import { reportBody, schemaBody } from '../../src/http/request-schemas.js';

const document = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');

describe('docs/api.md', () => {
  it('names each path and method', () => {
    for (const path of Object.keys(openapiDocument().paths)) expect(document).toContain(path);
  });

  it('names each alias of a field', () => {
    for (const names of Object.values(ALIASES))
      for (const name of names) expect(document).toContain(`\`${name}\``);
  });

  it('names each query parameter', () => {
    for (const [path, methods] of Object.entries(openapiDocument().paths))
      for (const [method, operation] of Object.entries(methods) as [
        string,
        { parameters?: { in: string; name: string }[] },
      ][])
        for (const { in: place, name } of operation.parameters ?? [])
          if (place === 'query') {
            const row = document
              .split('\n')
              .find((line) => line.includes(`${method.toUpperCase()} ${path}\``));
            expect([path, row]).toEqual([path, expect.stringContaining(`\`${name}\``)]);
          }
  });

  it('shows events and bodies that are taken', () => {
    const blocks = [...document.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) =>
      JSON.parse(text ?? ''),
    );
    expect(predictionEvent.safeParse(blocks[0]).success).toBe(true);
    expect(labelEvent.safeParse(blocks[2]).success).toBe(true);
    const inline = [...document.matchAll(/`(\{".*?\})`(?=[;:])/g)].map(([, text]) => JSON.parse(text ?? ''));
    expect(inline).toHaveLength(2);
    expect(schemaBody.safeParse(inline[0]).success).toBe(true);
    expect(reportBody.safeParse(inline[1]).success).toBe(true);
  });
});
