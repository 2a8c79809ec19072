// Lays out what the container image holds: the bundled server, its migrations, and the few packages that cannot be bundled.
// Usage: node scripts/image-layout.mjs DIR   (after npm ci and npm run build). The Dockerfile and a test both use it.
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve, sep } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const target = resolve(process.argv[2] ?? 'build/image');

/** What is native stays outside the bundle; everything it needs comes with it. */
const unbundled = ['chdb', '@node-rs/crc32'];

/** Folder of a package as seen from another one, or null when it is optional and not installed. */
async function folderOf(name, from) {
  const lookup = createRequire(join(from, 'package.json')).resolve.paths(name) ?? [];
  for (const path of lookup) {
    try {
      await readFile(join(path, name, 'package.json'));
      return join(path, name);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  return null;
}

async function copyPackage(name, from, done, optional = false) {
  const folder = await folderOf(name, from);
  if (folder === null) {
    if (optional) return;
    throw new Error(`package ${name} is not installed: run npm ci first`);
  }
  if (done.has(folder)) return;
  done.add(folder);
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const inside = folder.slice(folder.lastIndexOf(`${sep}node_modules${sep}`) + 1);
  await cp(folder, join(target, inside), { recursive: true, dereference: true });
  for (const dependency of Object.keys(manifest.dependencies ?? {}))
    await copyPackage(dependency, folder, done);
  for (const dependency of Object.keys(manifest.optionalDependencies ?? {}))
    await copyPackage(dependency, folder, done, true);
}

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await cp(join(root, 'dist'), join(target, 'dist'), { recursive: true });
await cp(join(root, 'package.json'), join(target, 'package.json'));
const done = new Set();
for (const name of unbundled) await copyPackage(name, dirname(join(root, 'package.json')), done);
process.stdout.write(`${target}: dist and ${done.size} packages\n`);
