import { type Named, NO_VALUES } from '../domain/prediction.js';
import { createSharedNames } from './shared-names.js';

/** The names and values of one row, in lists that rows with as many share. */
export function createGatherer<Value>() {
  const shared = createSharedNames();
  const names: string[] = [];
  const values: Value[] = [];
  const lists: ({ names: readonly string[]; readonly values: Value[] } | undefined)[] = [];
  let count = 0;
  return {
    clear(): void {
      count = 0;
    },
    add(name: string, value: Value): void {
      names[count] = name;
      values[count] = value;
      count += 1;
    },
    list(): Named<Value> {
      if (count === 0) return NO_VALUES;
      let list = lists[count];
      if (list === undefined) {
        list = { names: [], values: values.slice(0, count) };
        lists[count] = list;
      }
      list.names = shared(names, count);
      for (let index = 0; index < count; index += 1) list.values[index] = values[index] as Value;
      return list;
    },
  };
}
