import { type Fields, unusable } from '../decode-event.js';

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * What stands at a path: a field that is called so, dots and all, else field by field (numbers are places in lists). Own fields only;
 * undefined when there is nothing.
 */
export function at(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, path)) return (value as Fields)[path];
  let here: unknown = value;
  for (const step of path.split('.')) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Fields)[step];
  }
  return here;
}

/** What stands at the first path where there is something; null counts as nothing. */
export function firstAt(value: unknown, paths: readonly string[]): unknown {
  for (const path of paths) {
    const found = at(value, path);
    if (found !== undefined && found !== null) return found;
  }
  return undefined;
}

/** Values by the names of their places. Throws unmapped where two places have one name: an object would keep the last alone. */
export function byName(names: readonly string[], valueAt: (place: number) => unknown): Fields {
  const fields = Object.fromEntries(names.map((name, place) => [name, valueAt(place)]));
  if (Object.keys(fields).length !== names.length)
    unusable(
      'unmapped',
      'two columns have the same name: which of them is meant is not known, name each once',
    );
  return fields;
}
