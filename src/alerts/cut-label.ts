/** Bytes of a label's value; beyond the `label_value_length_limit` of prometheus.yml Prometheus drops the whole scrape. */
export const MAX_LABEL_BYTES = 200;

/** A sentence short enough to be a label's value, or of other `maxBytes`: whole words, and a sign that there is more. */
export function cutLabel(sentence: string, maxBytes = MAX_LABEL_BYTES): string {
  if (Buffer.byteLength(sentence) <= maxBytes) return sentence;
  const mark = ' …';
  let cut = '';
  for (const word of sentence.split(' ')) {
    const longer = cut === '' ? word : `${cut} ${word}`;
    if (Buffer.byteLength(longer + mark) > maxBytes) break;
    cut = longer;
  }
  // One endless word.
  return cut === '' ? '…' : cut + mark;
}
