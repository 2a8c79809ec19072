import { openStore } from '../app.js';
import { answer, type Output, say } from './output.js';
import { configFor, type ServeOptions } from './serve.js';

export async function migrate(options: ServeOptions, output: Output): Promise<void> {
  const store = await openStore(configFor(options));
  try {
    const result = await store.migrate();
    say(
      output,
      result.applied.length === 0 ? 'The store is up to date.' : `Applied ${result.applied.join(', ')}.`,
    );
    answer(output, result);
  } finally {
    await store.close();
  }
}
