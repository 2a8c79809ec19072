import type { LookFixture } from './look-fixture.js';

/** Names that attack pages: markup, script ends, entities, quotes, bidirectional overrides, NUL, templates, length. */
export const AWKWARD_NAMES: readonly string[] = [
  '<img src=x onerror="globalThis.pwned=1;alert(1)">',
  '</script><script>globalThis.pwned=1;alert(2)</script>',
  `" onmouseover="globalThis.pwned=1" x='`,
  '</title></svg></style><svg onload=alert(3)>',
  'left \u202eright\u2066 and \u0000NUL \u200b',
  '&lt;already&gt; &amp; {{7*7}} <!-- ]]>',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  'a/b?c=d#e %2F',
  'emoji 🙂 lone \ud800 surrogate',
  'ن فارسی و עברית',
  `long ${'x'.repeat(10_000)}`,
  '$& $1 $` \\n',
];

/** The same fixture with every name from outside awkward: features, categories, the model and its version, ids, provenance. */
export function awkward(fixture: LookFixture): LookFixture {
  const original = fixture.grids.map((grid) => grid.feature);
  const names = new Map(original.map((name, index) => [name, AWKWARD_NAMES[index] ?? name] as const));
  const of = (name: string) => names.get(name) ?? name;
  const key = { model: AWKWARD_NAMES[0] ?? '', modelVersion: AWKWARD_NAMES[1] ?? '' };
  return {
    ...fixture,
    version: {
      ...fixture.version,
      ...key,
      schema: {
        ...fixture.version.schema,
        features: fixture.version.schema.features.map((feature) => ({ ...feature, name: of(feature.name) })),
      },
    },
    reference: { ...fixture.reference, ...key, provenance: AWKWARD_NAMES[3] ?? '' },
    grids: fixture.grids.map((grid) =>
      grid.kind === 'categorical'
        ? {
            ...grid,
            feature: of(grid.feature),
            categories: grid.categories.map((category, index) => AWKWARD_NAMES[index] ?? category),
          }
        : { ...grid, feature: of(grid.feature) },
    ),
    referenceProfiles: fixture.referenceProfiles.map((profile) => ({
      ...profile,
      feature: of(profile.feature),
    })),
    days: new Map(
      [...fixture.days].map(([day, profiles]) => [
        day,
        profiles.map((profile) => ({ ...profile, feature: of(profile.feature) })),
      ]),
    ),
    verdicts: fixture.verdicts.map((verdict) => ({ ...verdict, ...key, feature: of(verdict.feature) })),
    runs: fixture.runs.map((run) => ({ ...run, ...key })),
    episodes: fixture.episodes.map((episode) => ({
      ...episode,
      ...key,
      drivers: episode.drivers.map((driver) => ({ ...driver, feature: of(driver.feature) })),
    })),
    outliers: fixture.outliers.map((record, index) => ({
      ...record,
      ...key,
      predictionId: AWKWARD_NAMES[index] ?? record.predictionId,
    })),
  };
}
