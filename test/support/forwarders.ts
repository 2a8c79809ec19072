import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type GuardedProcess, startGuarded } from './guarded-process.js';

const UNPACKED = resolve('build/forwarders');
const EXAMPLES = resolve('examples/forwarders');

/** Directories below `root` that hold shared libraries. */
function libraryPath(root: string): string {
  const found = new Set<string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true }))
    if (/\.so(\.\d+)*$/.test(entry.name)) found.add(entry.parentPath);
  return [...found].join(':');
}

/**
 * Starts a real log forwarder with one of the configurations in examples/forwarders, in which `changes` are made: each must occur. It
 * keeps its state in the directory, so that it goes on where it was when started again. It cannot outlive the test.
 */
export function startForwarder(options: {
  readonly example: 'syslog-ng-http.conf' | 'syslog-ng-kafka.conf' | 'rsyslog-kafka.conf';
  readonly directory: string;
  readonly changes: Readonly<Record<string, string>>;
}): GuardedProcess {
  if (!existsSync(join(UNPACKED, 'complete')))
    throw new Error(`no log forwarders in ${UNPACKED}: run scripts/fetch-forwarders.sh, with a network`);
  const { example, directory, changes } = options;
  let text = readFileSync(join(EXAMPLES, example), 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    if (!text.includes(from)) throw new Error(`${example} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  const config = join(directory, example);
  writeFileSync(config, text);
  const root = join(UNPACKED, 'root');
  const libraries = libraryPath(root);
  const at = (name: string) => join(directory, name);
  const { command, args } = example.startsWith('rsyslog')
    ? { command: 'rsyslogd', args: ['-n', '-f', config, '-i', at('rsyslogd.pid'), '-M', libraries] }
    : {
        command: 'syslog-ng',
        args: [
          ...['-F', '--no-caps', '-f', config, '-R', at('persist'), '-c', at('ctl'), '-p', at('pid')],
          `--module-path=${join(root, 'usr/lib/syslog-ng/3.38')}`,
        ],
      };
  return startGuarded({
    command: join(root, 'usr/sbin', command),
    args,
    logFile: at(`${command}.log`),
    env: { ...process.env, LD_LIBRARY_PATH: libraries },
  });
}
