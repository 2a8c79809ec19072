/** Some series that are exported together or not at all. */
export interface SeriesGroup {
  /** Heavier groups take the room of lighter ones: 0, 1, 2, … */
  readonly weight: number;
  readonly count: number;
  /** Called when a heavier group takes its room. */
  readonly onDropped: () => void;
}

/** Room for so many series over all versions: what matters more displaces what matters less, whoever came first. */
export function createSeriesBudget(most: number) {
  const byWeight: Set<SeriesGroup>[] = [];
  let used = 0;

  function ofWeight(weight: number): Set<SeriesGroup> {
    byWeight[weight] ??= new Set();
    return byWeight[weight];
  }

  function release(group: SeriesGroup): void {
    if (ofWeight(group.weight).delete(group)) used -= group.count;
  }

  /** Lighter groups, the lightest first. */
  function* lighterThan(weight: number): Generator<SeriesGroup> {
    for (let below = 0; below < weight; below++) yield* ofWeight(below);
  }

  return {
    release,
    /** Makes room for a group, of lighter ones where there is none; false, and nothing is dropped, when that is not enough. */
    take(group: SeriesGroup): boolean {
      const victims: SeriesGroup[] = [];
      let room = most - used;
      for (const lighter of lighterThan(group.weight)) {
        if (room >= group.count) break;
        victims.push(lighter);
        room += lighter.count;
      }
      if (room < group.count) return false;
      for (const victim of victims) {
        release(victim);
        victim.onDropped();
      }
      ofWeight(group.weight).add(group);
      used += group.count;
      return true;
    },
  };
}
