export interface CompareOptions {
  readonly report?: string | undefined;
  readonly segment?: string | undefined;
  readonly windowRows?: number | undefined;
  /** ms */
  readonly window?: number | undefined;
  readonly time?: string | undefined;
  readonly together?: boolean | undefined;
  readonly level: number;
}

/** `1d`, `6h`, `30m`, `2w` in ms; null for anything else. */
export function parseWindowLength(text: string): number | null {
  const match = /^(\d{1,6})\s?(m|min|h|d|w)$/.exec(text.trim());
  if (match === null) return null;
  const units: Readonly<Record<string, number>> = {
    m: 60_000,
    min: 60_000,
    h: 3_600_000,
    d: 86_400_000,
    w: 604_800_000,
  };
  const lengthMs = Number(match[1]) * (units[match[2] ?? ''] ?? Number.NaN);
  return lengthMs > 0 ? lengthMs : null;
}

/** What is wrong with the options together, or null. */
export function usageProblem(options: CompareOptions): string | null {
  const parts = [options.segment, options.windowRows, options.window].filter((part) => part !== undefined);
  if (parts.length > 1) return 'choose one of --segment, --window-rows and --window';
  if (options.window !== undefined && options.time === undefined)
    return '--window needs the column of times: --time COLUMN';
  return null;
}
