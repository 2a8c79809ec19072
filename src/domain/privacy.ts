/** What becomes of a value before anything is stored. Without a width or a number, buckets are learned from the reference. */
export type PrivacyRule =
  | 'keep'
  | 'hash'
  | 'bucket'
  | 'drop'
  | { readonly width: number }
  | { readonly top: number };
export type TagRule = 'keep' | 'hash' | 'drop';

/** The `privacy` section of a model. */
export interface PrivacyPolicy {
  readonly features: Readonly<Record<string, PrivacyRule>>;
  readonly tags: Readonly<Record<string, TagRule>>;
  readonly predictionId: 'keep' | 'hash';
  /** Of features that the version does not declare. */
  readonly undeclared: 'keep' | 'drop';
}

/** How a version's feature was treated when it was registered: a rule with all that it takes to apply it again. */
export type AppliedRule =
  | {
      readonly rule: 'hash';
      /** Tells the key apart from others, and nothing else of it. */
      readonly key: string;
    }
  | { readonly rule: 'bucket'; readonly width: number }
  /** Ascending: a number becomes the greatest of them that is not above it, one below them all the first. */
  | { readonly rule: 'bucket'; readonly edges: readonly number[] }
  /** Other texts become `other`. */
  | { readonly rule: 'bucket'; readonly values: readonly string[] };

/** What a text outside a bucket's values becomes, and any text where numbers are bucketed. */
export const OTHER = 'other';
/** Buckets of a feature whose rule names no number of them. */
export const DEFAULT_BUCKETS = 20;
/** How a hashed text looks: a value that looks so already stays as it is, so that treating it again changes nothing. */
export const HASHED = /^hmac:[0-9a-f]{16}$/;
export const HASHED_PREFIX = 'hmac:';
/** Bytes of the HMAC that are kept: among a million values two are alike once in 37 million times. */
export const HASHED_BYTES = 8;
/** A number this close below a bucket, as a share of the width, belongs to it: 0.3 / 0.1 is 2.9999999999999996. */
export const WIDTH_SLACK = 1e-9;

/** Names of columns that values are hashed under: equal values of two columns do not show that they are. */
export const tagColumn = (tag: string) => `tags.${tag}`;
export const ID_COLUMN = 'prediction_id';

/** What is hashed: the column's name before the value, so that no two of them give the same text. */
export const hashedText = (column: string, value: string) => `${column}\0${value}`;

/** The lower end of a number's bucket; numbers that are not finite stay. */
export function bucketOf(value: number, width: number): number {
  return Number.isFinite(value) ? Math.floor(value / width + WIDTH_SLACK) * width : value;
}

/** The greatest edge that is not above the value, the first for one below them all; numbers that are not finite stay. */
export function edgeOf(value: number, edges: readonly number[]): number {
  if (!Number.isFinite(value)) return value;
  let low = 0;
  let high = edges.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((edges[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return edges[low] ?? value;
}
