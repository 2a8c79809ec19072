import { Presets, SingleBar } from 'cli-progress';

/** Where a command writes: its answer on stdout (one JSON document with --json), everything else on stderr. */
export interface Output {
  readonly json: boolean;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { isTTY?: boolean };
}

/** A line for people: on stdout, or on stderr when stdout belongs to the JSON document. */
export function say(output: Output, line = ''): void {
  (output.json ? output.stderr : output.stdout).write(`${line}\n`);
}

/** The command's answer, with --json. */
export function answer(output: Output, document: unknown): void {
  if (output.json) output.stdout.write(`${JSON.stringify(document)}\n`);
}

export interface Progress {
  update(done: number, total: number, note: string): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere a line for each tenth, so that a log shows that the work goes on. */
export function createProgress(output: Output, title: string): Progress {
  if (output.stderr.isTTY) {
    const bar = new SingleBar(
      {
        format: `${title} {bar} {percentage}% | {note} | {duration_formatted}`,
        stream: output.stderr,
        hideCursor: true,
        // its own handler would stop the bar and let the work go on after Ctrl-C
        gracefulExit: false,
        clearOnComplete: false,
      },
      Presets.shades_classic,
    );
    bar.start(1, 0, { note: '' });
    return {
      update: (done, total, note) => {
        bar.setTotal(total);
        bar.update(done, { note });
      },
      stop: () => bar.stop(),
    };
  }
  let tenth = 0;
  return {
    update: (done, total, note) => {
      const now = Math.floor((10 * done) / Math.max(total, 1));
      if (now > tenth) {
        tenth = now;
        output.stderr.write(`${title} ${now * 10}% (${note})\n`);
      }
    },
    stop: () => undefined,
  };
}

/** What became of rows that were sent. */
export function countsSentence(
  kind: string,
  counts: {
    readonly received: number;
    readonly accepted: number;
    readonly duplicate: number;
    readonly rejected: number;
    readonly erased?: number | undefined;
  },
): string {
  const { received, accepted, duplicate, rejected, erased = 0 } = counts;
  const refused = erased === 0 ? '' : `, ${erased} erased before and refused`;
  return `${kind}: ${received} sent, ${accepted} accepted, ${duplicate} duplicate, ${rejected} rejected${refused}`;
}

/** Left-aligned text columns, numbers right-aligned, for a terminal. */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const text = rows.map((row) => row.map(String));
  const widths = header.map((title, i) =>
    Math.max(title.length, ...text.map((row) => (row[i] ?? '').length)),
  );
  const numeric = header.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === 'number'));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(header), line(widths.map((width) => '─'.repeat(width))), ...text.map(line)].join('\n');
}
