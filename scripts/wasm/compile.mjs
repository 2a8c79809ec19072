// Compiles the scanner of events (AssemblyScript) into a module that is committed, so that neither users nor `npm ci` need the compiler.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const SOURCE = 'src/collectors/scan/assembly/scan.ts';
const TARGET = 'src/collectors/scan/scan-wasm.ts';
const OPTIONS = ['-O3', '--runtime', 'stub', '--noAssert', '--initialMemory', '8'];

const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: ['ignore', 2, 2] });

/** The text of the module that the source compiles to. Fetches the compiler the first time. */
export function compiledScanner() {
  const compiler = join(here, 'node_modules/assemblyscript/bin/asc.js');
  if (!existsSync(compiler)) run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], here);
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-wasm-'));
  try {
    const file = join(directory, 'scan.wasm');
    run(process.execPath, [compiler, SOURCE, ...OPTIONS, '-o', file], root);
    const lines = readFileSync(file)
      .toString('base64')
      .match(/.{1,120}/g)
      .map((line) => `  '${line}',`);
    return `// Made by \`npm run wasm\` from assembly/; not to be edited.\nexport const SCAN_WASM = [\n${lines.join('\n')}\n].join('');\n`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(root, TARGET), compiledScanner());
