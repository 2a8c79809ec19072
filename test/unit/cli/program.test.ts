import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { type Command, CommanderError } from 'commander';
import { EXIT_CODES, exitCodeOf } from '../../../src/cli/exit-codes.js';
import { createProgram } from '../../../src/cli/program.js';
import { AppError } from '../../../src/errors.js';

function sink() {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => written.join('') };
}

function build() {
  const stdout = sink();
  const stderr = sink();
  const program = createProgram({
    stdout: stdout.stream,
    stderr: stderr.stream,
    onExitCode: () => undefined,
    noColor: true,
  });
  return { program, stdout, stderr };
}

/** Commands that do something, by their whole name: `model list`. */
function leaves(command: Command, name = ''): [string, Command][] {
  return command.commands.flatMap((child) => {
    const whole = `${name} ${child.name()}`.trim();
    return child.commands.length > 0 ? leaves(child, whole) : [[whole, child] as [string, Command]];
  });
}

async function usage(...args: string[]) {
  const { program, stderr } = build();
  for (const [, command] of leaves(program)) command.exitOverride();
  const error = await program.parseAsync(args, { from: 'user' }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { error, said: stderr.text() };
}

describe('the command line', () => {
  const commands = leaves(build().program);

  it('has its commands, in the order of its help', () => {
    expect(commands.map(([name]) => name)).toEqual([
      'serve',
      'compare',
      'demo',
      'replay',
      'import',
      'tail',
      'model register',
      'model list',
      'model show',
      'model references',
      'model rebaseline',
      'model delete',
      'model performance',
      'model concept-drift',
      'model tune',
      'backtest',
      'versions compare',
      'skew',
      'report list',
      'report show',
      'report run',
      'episodes list',
      'episodes show',
      'episodes ack',
      'episodes unack',
      'episodes snooze',
      'episodes unsnooze',
      'episodes mark',
      'episodes precision',
      'policy show',
      'policy set',
      'policy reset',
      'outliers',
      'rejected list',
      'rejected redrive',
      'erase',
      'erasures',
      'webhook list',
      'webhook hooks',
      'webhook replay',
      'webhook test',
      'webhook pause',
      'webhook resume',
      'key create',
      'migrate',
      'backup',
      'restore',
      'doctor',
    ]);
  });

  it.each(commands)('describes %s and each of its options', (_name, command) => {
    expect(command.description()).not.toBe('');
    expect(command.options.filter((option) => option.description === '' && !option.hidden)).toEqual([]);
  });

  it.each(commands.filter(([name]) => name !== 'serve'))(
    'answers %s as JSON when asked',
    (_name, command) => {
      expect(command.options.map((option) => option.long)).toContain('--json');
    },
  );

  it('takes the service and the key from the environment', () => {
    const talking = commands.filter(([, command]) => command.options.some(({ long }) => long === '--url'));
    expect(talking.map(([name]) => name)).toEqual(
      commands
        .map(([name]) => name)
        .filter((name) =>
          /^(replay|import|tail|report .*|outliers|skew|backtest|model .*|versions .*|episodes .*|policy .*|rejected .*|erase|erasures|webhook .*|backup)$/.test(
            name,
          ),
        ),
    );
    for (const [, command] of talking)
      expect(command.options.map((option) => option.envVar)).toEqual(
        expect.arrayContaining(['PLUMBLINE_URL', 'PLUMBLINE_KEY']),
      );
  });

  it.each([
    [['serve', '--port', '70000'], 'a port is a whole number from 0 to 65535'],
    [['compare', 'a', 'b', '--level', '5'], 'a level lies between 0 and 1'],
    [['compare', 'a', 'b', '--window-rows', '0.5'], 'give a whole number of rows above 0'],
    [['compare', 'a', 'b', '--time', 't', '--window', '1y'], 'a length is a number with m, h, d or w'],
    [['compare', 'a', 'b', '--window', '1d'], '--time'],
    [['backtest', 'm', '--budget', '0'], 'a budget is a number of false episodes per 30 days'],
    [['backtest', 'm', '--shift', 'age'], 'a shift reads FEATURE:SIZE'],
    [['model', 'register', 'm'], "required option '--version <version>' not specified"],
    [['model', 'register', 'm', '--version', '1'], 'give --reference FILE or --query SELECT'],
    [['model', 'register', 'm', '--version', '1', '--reference', 'a', '--query', 'b'], 'one of the two'],
    [['model', 'rebaseline', 'm', '1'], 'give --from and --to'],
    [['model', 'rebaseline', 'm', '1', '--from', '2026-01-01'], 'give --from and --to'],
    [['model', 'rebaseline', 'm', '1', '--reference', 'ab', '--to', '2026-01-01'], 'give --from and --to'],
    [['report', 'm'], "required option '--version <version>' not specified"],
    [['report', 'show', 'm', '--format', 'pdf'], 'Allowed choices are markdown, html, json'],
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['model', 'list', '--frobnicate'], "unknown option '--frobnicate'"],
    [['key', 'create', '--keys-file', 'k', '--scopes', 'all'], 'all'],
    [['webhook', 'list', '--state', 'lost'], 'Allowed choices are pending, delivered, failed, skipped'],
    [['episodes', 'show', 'm', ''], 'it is empty: give the id of an episode'],
    [['episodes', 'ack', 'm', ''], 'it is empty: give the id of an episode'],
    [['episodes', 'unack', 'm', ' '], 'it is empty: give the id of an episode'],
    [['episodes', 'mark', 'm', '', 'true'], 'it is empty: give the id of an episode'],
    [['episodes', 'snooze', 'm', '', '--for', '2h'], 'it is empty: give the id of an episode'],
    [['episodes', 'unsnooze', 'm', ''], 'it is empty: give the id of an episode'],
    [['episodes', 'snooze', '', '--for', '2h'], "it is empty: give the model's name"],
    [['episodes', 'list', ''], "it is empty: give the model's name"],
    [['episodes', 'snooze', 'm'], 'give --for or --until'],
    [['episodes', 'snooze', 'm', '--for', '2h', '--until', '2026-01-01'], 'give --for or --until'],
    [['episodes', 'snooze', 'm', 'e', '--category', 'drift', '--for', '1h'], 'not both'],
    [['episodes', 'unsnooze', 'm', 'e', '--category', 'drift'], 'not both'],
  ])('refuses %j with what is wrong', async (args, message) => {
    const { error, said } = await usage(...args);
    expect(error).toBeInstanceOf(CommanderError);
    expect(exitCodeOf(error)).toBe(EXIT_CODES.usage);
    expect(said).toContain(message);
  });

  it.each([
    ['backtest', [], []],
    ['backtest', ['--budget', '0.5', '--budget', '4,2'], [0.5, 4, 2]],
    ['model tune', [], [0.1, 0.5, 1, 4]],
    ['model tune', ['--budget', '2', '--budget', '8'], [2, 8]],
  ])('%s takes every budget of %j', (name, args, budgets) => {
    const command = new Map(leaves(build().program)).get(name);
    command?.parseOptions(args);
    expect(command?.opts().budget).toEqual(budgets);
  });

  it('tells its version and its help, which are no failures', async () => {
    for (const [args, words] of [
      [['--version'], /^\d+\.\d+\.\d+\n$/],
      [['--help'], /^Usage: plumbline/],
      [['model', 'register', '--help'], /--version <version>/],
    ] as const) {
      const { program, stdout } = build();
      for (const [, command] of leaves(program)) command.exitOverride();
      const error = await program.parseAsync([...args], { from: 'user' }).catch((thrown: unknown) => thrown);
      expect([exitCodeOf(error), stdout.text()]).toEqual([EXIT_CODES.done, expect.stringMatching(words)]);
    }
  });

  it('ends with one of the documented exit codes', () => {
    expect(exitCodeOf(new AppError('config_invalid', 'x'))).toBe(2);
    expect(exitCodeOf(new AppError('unknown_model', 'x'))).toBe(1);
    expect(exitCodeOf(new TypeError('a bug'))).toBe(1);
    const [, section = ''] = readFileSync('docs/errors.md', 'utf8').split('## Exit codes');
    const told = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| (\d) \|/gm)].map((match) =>
      Number(match[1]),
    );
    expect(told).toEqual(Object.values(EXIT_CODES));
  });
});
