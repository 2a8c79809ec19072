import { createInterface } from 'node:readline/promises';
import { AppError } from '../errors.js';
import { answer, type Output, say } from './output.js';
import type { ServiceClient } from './service-client.js';

export interface DeleteOptions {
  readonly model: string;
  /** Do not ask. */
  readonly yes: boolean;
  /** Where the answer comes from. */
  readonly stdin: NodeJS.ReadableStream & { isTTY?: boolean };
}

/** What is deleted does not come back: where nobody can be asked, `--yes` must be said. Null when nothing is wrong. */
export function deletionProblem({ model, yes, stdin }: DeleteOptions): string | null {
  return yes || stdin.isTTY === true
    ? null
    : `this deletes ${model} with all its rows, verdicts and episodes, for good: say --yes`;
}

/** Asks for the model's name. */
async function confirm({ model, yes, stdin }: DeleteOptions, output: Output): Promise<void> {
  if (yes) return;
  const prompt = createInterface({ input: stdin, output: output.stderr });
  const typed = await prompt
    .question(`This deletes ${model} with all its rows, verdicts and episodes, for good. Type its name: `)
    .finally(() => prompt.close());
  if (typed.trim() !== model)
    throw new AppError('invalid_request', `nothing was deleted: ${JSON.stringify(typed)} is not ${model}`);
}

export async function deleteModel(
  client: ServiceClient,
  options: DeleteOptions,
  output: Output,
): Promise<void> {
  await confirm(options, output);
  const document = (await client.delete(`/v1/models/${encodeURIComponent(options.model)}`)) as {
    removed: Readonly<Record<string, number>>;
  };
  const { predictions = 0, labels = 0, verdicts = 0, episodes = 0 } = document.removed;
  say(
    output,
    `Deleted ${options.model}: ${predictions} predictions, ${labels} labels, ${verdicts} verdicts, ${episodes} episodes.`,
  );
  answer(output, document);
}
