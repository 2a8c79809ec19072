import { createServer } from 'node:net';
import { openStore } from '../app.js';
import { type Config, privacyKey } from '../config.js';
import { AppError, messageOf } from '../errors.js';
import { answer, type Output, say } from './output.js';
import { configFor, type ServeOptions } from './serve.js';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

async function checked(name: string, run: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, detail: await run() };
  } catch (error) {
    return { name, ok: false, detail: messageOf(error) };
  }
}

function checkPort(config: Config): Promise<string> {
  const { host, port } = config.http;
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (cause) =>
      reject(
        new AppError(
          'port_in_use',
          `cannot listen on ${host}:${port}: ${messageOf(cause)}; choose another with --port`,
          {
            cause,
          },
        ),
      ),
    );
    probe.listen(port, host, () => probe.close(() => resolve(`${host}:${port} is free`)));
  });
}

async function checkStore(config: Config): Promise<Check[]> {
  try {
    const store = await openStore(config);
    try {
      await store.migrate();
      const { engine, checks } = await store.check();
      return [{ name: 'engine', ok: true, detail: engine }, ...checks];
    } finally {
      await store.close();
    }
  } catch (error) {
    return [{ name: 'store', ok: false, detail: messageOf(error) }];
  }
}

/** Looks at everything a start needs; fails when something is wrong, after saying all of it. */
export async function doctor(options: ServeOptions, output: Output): Promise<void> {
  const node = await checked('node', async () => {
    const major = Number(process.versions.node.split('.')[0]);
    if (major < 20)
      throw new AppError(
        'config_invalid',
        `node ${process.versions.node} is too old: install Node 20 or newer`,
      );
    return process.versions.node;
  });
  const checks: Check[] = [node];
  let config: Config | undefined;
  checks.push(
    await checked('configuration', async () => {
      config = configFor(options);
      return options.config ?? 'defaults';
    }),
  );
  if (config !== undefined) {
    const settings = config;
    checks.push(await checked('port', () => checkPort(settings)));
    if (settings.privacy !== undefined)
      checks.push(
        await checked('privacy key', async () => {
          privacyKey(settings);
          return 'is there';
        }),
      );
    checks.push(...(await checkStore(settings)));
  }
  for (const check of checks) say(output, `${check.ok ? 'ok  ' : 'FAIL'} ${check.name}: ${check.detail}`);
  answer(output, { ok: checks.every((check) => check.ok), checks });
  const failed = checks.filter((check) => !check.ok);
  if (failed.length > 0)
    throw new AppError(
      'checks_failed',
      `${failed.length} of ${checks.length} checks failed: ${failed.map((c) => c.name).join(', ')}`,
    );
}
