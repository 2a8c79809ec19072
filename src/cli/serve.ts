import { createApp } from '../app.js';
import { loadConfig, parseConfig } from '../config.js';
import { letHeapGrow } from '../heap-growth.js';
import { untilInterrupted } from './interruption.js';
import { type Output, say } from './output.js';

export interface ServeOptions {
  readonly config?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly port?: number | undefined;
  readonly roles?: readonly string[] | undefined;
}

/** The configuration file with the command line's own values on top. */
export function configFor(options: ServeOptions) {
  const input = (loadConfig(options.config) ?? {}) as Record<string, unknown>;
  return parseConfig({
    ...input,
    ...(options.roles === undefined ? {} : { roles: options.roles }),
    ...(options.dataDir === undefined ? {} : { store: { dataDir: options.dataDir } }),
    ...(options.port === undefined
      ? {}
      : { http: { ...(input.http as object | undefined), port: options.port } }),
  });
}

export async function serve(options: ServeOptions, output: Output): Promise<void> {
  letHeapGrow();
  const app = await createApp(configFor(options));
  try {
    const { url } = await app.start();
    say(output, `Plumbline listens on ${url}`);
    await untilInterrupted();
  } finally {
    await app.stop();
  }
}
