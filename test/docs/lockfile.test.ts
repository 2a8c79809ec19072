import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

interface Lock {
  packages: Record<string, { optionalDependencies?: Record<string, string>; version?: string }>;
}

describe('package-lock.json', () => {
  it('names the optional packages of every platform, without which npm ci refuses on all of them', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
    for (const name of ['chdb', 'esbuild', '@swc/core', '@biomejs/biome']) {
      const optional = packages[`node_modules/${name}`]?.optionalDependencies ?? {};
      for (const [dependency, version] of Object.entries(optional))
        expect([dependency, packages[`node_modules/${dependency}`]?.version]).toEqual([dependency, version]);
    }
  });
});
