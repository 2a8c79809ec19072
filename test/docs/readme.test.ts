import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { createProgram } from '../../src/cli/program.js';
import { parseConfig } from '../../src/config.js';
import { EVENT, type HttpService, startHttpService } from '../support/http-service.js';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const scripts = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>;
  }
).scripts;

const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text]) => text ?? '',
  );

/** Commands of the shell blocks: one per line, but for quoted text that runs over several. */
const commands = blocks('sh').flatMap((block) =>
  [...block.matchAll(/(?:'[^']*'|"[^"]*"|[^'"\n])+/g)].flatMap(([text]) => text.split(' && ')),
);
const words = (command: string) =>
  [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');

describe('commands in the README', () => {
  const program = createProgram({
    stdout: process.stdout,
    stderr: process.stderr,
    noColor: true,
    onExitCode: () => undefined,
  });
  const own = commands.filter((command) => command.startsWith('npx plumbline'));

  it('are found', () => {
    expect(own.length).toBeGreaterThanOrEqual(5);
  });

  it.each(own)('%s is known, with its options', (line) => {
    const [, , ...rest] = words(line.replace(/#.*/, ''));
    let command: Command = program;
    for (;;) {
      const next: Command | undefined = command.commands.find((candidate) => candidate.name() === rest[0]);
      if (next === undefined) break;
      command = next;
      rest.shift();
    }
    expect(command).not.toBe(program);
    expect(command.parseOptions(rest).unknown).toEqual([]);
    // What is left are the arguments that the command takes.
    const { operands } = command.parseOptions(rest);
    const required = command.registeredArguments.filter((argument) => argument.required).length;
    expect(operands.length).toBeGreaterThanOrEqual(required);
  });

  it.each(commands.filter((command) => command.startsWith('npm run')))('%s is a script', (line) => {
    expect(Object.keys(scripts)).toContain(words(line)[2]);
  });

  it.each(commands.filter((command) => /^cp /.test(command)))('%s copies what is there', (line) => {
    const [source = ''] = words(line)
      .slice(1, -1)
      .filter((word) => !word.startsWith('-'));
    expect(existsSync(new URL(`../../${source.replace(/\*.*|\.$/, '')}`, import.meta.url))).toBe(true);
  });
});

describe('requests in the README', () => {
  let service: HttpService;
  beforeAll(async () => {
    service = await startHttpService();
  });
  afterAll(() => service.stop());

  const requests = commands.filter((command) => command.startsWith('curl '));

  it('are found', () => {
    expect(requests.length).toBeGreaterThanOrEqual(3);
  });

  it.each(requests)('%s is answered', async (line) => {
    const args = words(line);
    const option = (flag: string) => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined);
    const url = args.find((word) => word.startsWith('http://')) ?? '';
    const body = option('-d');
    const [name = '', value = ''] = (option('-H') ?? 'accept: */*').split(': ');
    const response = await fetch(`${service.url}${new URL(url).pathname}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { [name]: value },
      ...(body === undefined ? {} : { body }),
    });
    expect(response.status).toBe(200);
    if (body !== undefined) expect(await response.json()).toMatchObject({ received: 1, rejected: 0 });
  });

  it.each([
    ['Fluent Bit', { date: 1_767_225_600.5, ...EVENT, prediction_id: 'by fluent bit' }],
    [
      'Vector',
      [
        {
          file: '/var/log/model/predictions.ndjson',
          host: 'pod',
          message: JSON.stringify({ ...EVENT, prediction_id: 'by vector' }),
          source_type: 'file',
          timestamp: '2026-01-01T00:00:01Z',
        },
      ],
    ],
  ])('what %s makes of a line of the log is taken', async (_name, body) => {
    const response = await service.send('/v1/ingest', JSON.stringify(body));
    expect(await response.json()).toMatchObject({ received: 1, accepted: 1 });
  });
});

describe('configuration in the README', () => {
  const yaml = blocks('yaml').map((text) => ({ text, title: /^# (.*)\n/.exec(text)?.[1] ?? '' }));

  it('says which file each block belongs to', () => {
    expect(yaml.filter(({ title }) => title === '')).toEqual([]);
    expect(yaml.filter(({ title }) => title === 'plumbline.yaml').length).toBeGreaterThanOrEqual(3);
  });

  it.each(yaml.map(({ title, text }) => [title, text]))('%s is valid', (title, text) => {
    const content = parse(text);
    if (title === 'plumbline.yaml') expect(() => parseConfig(content)).not.toThrow();
    else expect(Object.keys(content).length).toBeGreaterThan(0);
  });

  it('scrapes as the shipped configuration does', () => {
    const shipped = parse(readFileSync(new URL('../../prometheus/prometheus.yml', import.meta.url), 'utf8'));
    const shown = parse(yaml.find(({ title }) => title === 'prometheus.yml')?.text ?? '');
    const [job] = shown.scrape_configs;
    expect(shipped.scrape_configs[0]).toMatchObject(job);
  });

  it('sends to paths that exist', () => {
    const sends = [...readme.matchAll(/(?:URI|uri:) ([^\s`]+)/g)].map(([, uri]) =>
      (uri ?? '').replace(/^http:\/\/[^/]+/, ''),
    );
    expect(sends.length).toBeGreaterThanOrEqual(2);
    for (const path of sends) expect(path).toMatch(/^\/v1\/(ingest|labels)$/);
  });
});

describe('links in the README', () => {
  it('lead to files that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path ?? '');
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)))).toEqual([]);
  });
});
