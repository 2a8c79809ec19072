/** The rows that have one value of a tag (`tags.NAME`) or of a categorical feature. */
export interface Segment {
  readonly column: string;
  readonly value: string;
}

/** Which segments of a model get verdicts of their own: the `top` most frequent values of each column. */
export interface SegmentSetting {
  readonly by: readonly string[];
  readonly top: number;
}

export const TAG_PREFIX = 'tags.';
/** Values longer than this are no names of groups. */
export const MAX_SEGMENT_VALUE = 200;

/** The tag that a column names, or null for a feature. */
export function tagOf(column: string): string | null {
  return column.startsWith(TAG_PREFIX) ? column.slice(TAG_PREFIX.length) : null;
}

/** Text that no other segment has, whatever its value holds. */
export function segmentId({ column, value }: Segment): string {
  return JSON.stringify([column, value]);
}

/** Whose rows a profile counts: those of `scope` that belong to the segment. */
export function segmentScope(scope: string, segment: Segment | undefined): string {
  return segment === undefined ? scope : `${scope}|${segmentId(segment)}`;
}

/** For people: `carrier = AA`. */
export function segmentName({ column, value }: Segment): string {
  return `${column} = ${value}`;
}
