// The results as a table for people.

function amount(value, unit) {
  if (unit === 's') return value < 1 ? `${(value * 1_000).toPrecision(3)} ms` : `${value.toPrecision(3)} s`;
  if (unit === 'times') return value.toFixed(2);
  if (unit === 'MB') return `${Math.round(value)} MB`;
  return `${Math.round(value).toLocaleString('en-US')} ${unit}`;
}

/** Whether a ratio or figure is on the right side of its bar. */
export function meets({ atLeast, atMost }, value) {
  return atLeast === undefined ? value <= atMost : value >= atLeast;
}

function lineOf({ title, bar, unit, subject, baseline, ratio, figures, load }) {
  const busy = `${load.before[0]}–${load.after[0]}`;
  const barText = (limits) => (limits.atLeast === undefined ? `≤ ${limits.atMost}` : `≥ ${limits.atLeast}`);
  if (ratio !== undefined)
    return [
      [
        title,
        amount(subject.median, unit),
        amount(baseline.median, unit),
        `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
        barText(bar),
        meets(bar, ratio.median) ? 'yes' : 'NO',
        busy,
      ],
    ];
  return figures.map((figure) => [
    `${title}: ${figure.name}`,
    amount(figure.value, figure.unit),
    '',
    '',
    `${barText(figure.bar)} ${figure.unit}`,
    meets(figure.bar, figure.value) ? 'yes' : 'NO',
    busy,
  ]);
}

export function table({ date, machine, results }) {
  const head = ['benchmark', 'Plumbline', 'baseline', 'ratio (least–greatest)', 'bar', 'met', 'load'];
  return `${date}, ${machine.cores} cores (${machine.cpu}), Node ${machine.node}\n\n${tableOf(head, results.flatMap(lineOf))}`;
}

/** A table as Markdown, aligned. */
export function tableOf(head, lines) {
  const rows = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |\n`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |\n`;
  const [first, ...rest] = rows.map(line);
  return `${first}${rule}${rest.join('')}`;
}
