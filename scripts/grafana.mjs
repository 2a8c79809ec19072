// Writes grafana/dashboards/*.json from the code in grafana/ (npm run grafana). The files are committed; a test compares them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = new URL('../', import.meta.url);
const directory = await mkdtemp(join(tmpdir(), 'plumbline-grafana-'));
try {
  const outfile = join(directory, 'build.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('grafana/build.ts', root))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  const { dashboardFiles } = await import(pathToFileURL(outfile).href);
  for (const { name, text } of dashboardFiles()) {
    const file = new URL(`grafana/dashboards/${name}`, root);
    await writeFile(file, text);
    console.log(fileURLToPath(file));
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
