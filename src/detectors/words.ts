/** At most three significant digits. */
export function numberWords(value: number | null): string {
  if (value === null || Number.isNaN(value)) return 'unknown';
  const size = Math.abs(value);
  if (size >= 1_000 && size < 1e15) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

export function percentWords(share: number): string {
  if (share > 0 && share < 0.0001) return 'less than 0.01 %';
  return `${Number((share * 100).toPrecision(3))} %`;
}

export function listWords(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

export function shortWords(text: string, most = 40): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
