import { createApp } from '../app.js';
import { loadConfig, parseConfig } from '../config.js';
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

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once, as a shell user expects. */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      process.removeListener('SIGINT', stop);
      process.removeListener('SIGTERM', stop);
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}

export async function serve(options: ServeOptions, output: Output): Promise<void> {
  const app = await createApp(configFor(options));
  try {
    const { url } = await app.start();
    say(output, `Plumbline listens on ${url}`);
    await untilInterrupted();
  } finally {
    await app.stop();
  }
}
