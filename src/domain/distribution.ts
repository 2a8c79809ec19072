/** One bar of a distribution: shares of all rows of the side, in [0, 1]; null where a side has no rows. */
export interface Bar {
  readonly label: string;
  /** Numeric bars: edges in the feature's unit. Equal edges mark a single value. */
  readonly low: number;
  readonly high: number;
  readonly role: 'value' | 'other' | 'unseen' | 'missing';
  readonly reference: number | null;
  readonly current: number | null;
  /** Numeric: shares that lie beyond the grid, of which only the extremes are known: part of the two above. Left out where 0. */
  readonly beyond?: { readonly reference: number; readonly current: number };
}

export interface Distribution {
  readonly kind: 'numeric' | 'categorical';
  readonly feature: string;
  readonly referenceRows: number;
  readonly currentRows: number;
  readonly bars: readonly Bar[];
  /** Shares of missing values, beside the bars for numeric features. */
  readonly missing: { readonly reference: number | null; readonly current: number | null };
  /** Numeric: shares that lie outside the drawn range and are counted into the outermost bars. */
  readonly clipped: boolean;
  /** Numeric: what the axis counts where it is not the feature's own unit. */
  readonly unit?: 'days of age';
}
