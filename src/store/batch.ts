import type { VersionKey } from '../domain/ports.js';

interface Waiting<Key, Value> {
  readonly key: Key;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Joins calls that come in one turn of the event loop, or while another is under way, into one: a statement over many models costs
 * little more than one over a single model.
 *
 * @param load gives a value for each key, in their order; if it fails, all of these calls fail
 * @param most keys of one `load`, so that what it holds in memory is bounded
 */
export function createBatch<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  most: number,
): (key: Key) => Promise<Value> {
  let waiting: Waiting<Key, Value>[] = [];
  let isBusy = false;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, most);
      waiting = waiting.slice(most);
      try {
        const values = await load(batch.map(({ key }) => key));
        if (values.length !== batch.length)
          throw new RangeError(`${values.length} values for ${batch.length} keys`);
        for (const [i, { resolve }] of batch.entries()) resolve(values[i] as Value);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isBusy = false;
  }

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (isBusy) return;
      isBusy = true;
      setImmediate(drain);
    });
}

/** Keys by what a statement has in common, each with its place, so that answers go back in the order of the keys. */
export async function loadByGroup<Key, Value>(
  keys: readonly Key[],
  groupOf: (key: Key) => string,
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
): Promise<Value[]> {
  const groups = new Map<string, number[]>();
  for (const [place, key] of keys.entries()) {
    const places = groups.get(groupOf(key));
    if (places === undefined) groups.set(groupOf(key), [place]);
    else places.push(place);
  }
  const values = new Array<Value>(keys.length);
  for (const places of groups.values()) {
    const found = await load(places.map((place) => keys[place] as Key));
    for (const [i, place] of places.entries()) values[place] = found[i] as Value;
  }
  return values;
}

/** SQL that picks rows of the versions given by `versionParams`, by the tables' primary keys. */
export const OF_VERSIONS = `model IN {models:Array(String)} AND version IN {versions:Array(String)}
  AND has(arrayZip({models:Array(String)}, {versions:Array(String)}), (toString(model), toString(version)))`;
/** Place of a row's version among them, from 0. */
export const PLACE_OF_VERSION =
  'toUInt32(indexOf(arrayZip({models:Array(String)}, {versions:Array(String)}), (toString(model), toString(version))) - 1)';

export interface Versions {
  /** Parameters of the SQL above. */
  readonly params: { readonly models: readonly string[]; readonly versions: readonly string[] };
  placeOf(key: VersionKey): number;
}

/** The versions among some keys, each once. */
export function versionsOf(keys: readonly VersionKey[]): Versions {
  const places = new Map<string, number>();
  const nameOf = ({ model, modelVersion }: VersionKey) => JSON.stringify([model, modelVersion]);
  const models: string[] = [];
  const versions: string[] = [];
  for (const key of keys) {
    if (places.has(nameOf(key))) continue;
    places.set(nameOf(key), models.length);
    models.push(key.model);
    versions.push(key.modelVersion);
  }
  return { params: { models, versions }, placeOf: (key) => places.get(nameOf(key)) as number };
}
