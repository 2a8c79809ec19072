import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { parseConfig } from '../../src/config.js';
import { dockerfile, read, root, run } from '../support/deploy-files.js';

const scratch = mkdtempSync(join(tmpdir(), 'plumbline-deploy-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('docker-compose.yml', () => {
  interface ComposeService {
    image: string;
    build?: string;
    command?: string[];
    ports?: string[];
    volumes?: string[];
    read_only?: boolean;
    depends_on?: string[] | Record<string, unknown>;
    environment?: Record<string, string>;
  }
  const compose = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, ComposeService>;
    volumes: Record<string, null>;
  };
  const services = Object.entries(compose.services);
  const mounts = (service: ComposeService | undefined) =>
    (service?.volumes ?? []).map((text) => {
      const [from = '', to = '', mode] = text.split(':');
      return { from, to, mode };
    });

  it('has the whole stack, with pinned versions', () => {
    expect(services.map(([name]) => name)).toEqual([
      'plumbline',
      'clickhouse',
      'kafka',
      'kafka-topics',
      'prometheus',
      'alertmanager',
      'grafana',
    ]);
    for (const [, service] of services) expect(service.image).toMatch(/:v?\d+\.\d+/);
  });

  it('mounts files that exist, read-only, and volumes that are defined', () => {
    const named = new Set<string>();
    for (const [, service] of services)
      for (const { from, to, mode } of mounts(service)) {
        expect(to).toMatch(/^\//);
        if (from.startsWith('./')) {
          expect([from, existsSync(join(root, from)), mode]).toEqual([from, true, 'ro']);
        } else named.add(from);
      }
    expect([...named].toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
  });

  it('publishes on loopback only, and waits for services that exist', () => {
    for (const [, service] of services) {
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
      const waits = Array.isArray(service.depends_on)
        ? service.depends_on
        : Object.keys(service.depends_on ?? {});
      for (const name of waits) expect(Object.keys(compose.services)).toContain(name);
    }
  });

  it('gives each password by reference, and only names that its head explains', () => {
    const text = read('docker-compose.yml');
    const names = [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
    const head = text.slice(0, text.indexOf('name: plumbline'));
    for (const name of names) expect(head).toContain(`${name}=%s`);
    for (const [, service] of services)
      for (const [name, value] of Object.entries(service.environment ?? {}))
        if (name.includes('PASSWORD')) expect(value).toMatch(/^\$\{\w+:\?/);
  });

  it('configures plumbline with a file that it takes, on the hosts of the other containers', () => {
    const { plumbline, clickhouse } = compose.services;
    const config = parseConfig(parse(read('deploy/compose/plumbline.yaml')));
    const hosts = Object.keys(compose.services);
    expect(config.store).toMatchObject({
      username: clickhouse?.environment?.CLICKHOUSE_USER,
      database: clickhouse?.environment?.CLICKHOUSE_DB,
      passwordEnv: 'CLICKHOUSE_PASSWORD',
    });
    expect(hosts).toContain('url' in config.store ? new URL(config.store.url).hostname : '');
    for (const broker of config.kafka?.brokers ?? []) expect(hosts).toContain(broker.split(':')[0]);
    const topics = [...(config.kafka?.predictions ?? []), ...(config.kafka?.labels ?? [])];
    expect(compose.services['kafka-topics']?.command?.join('\n')).toContain(
      `for topic in ${topics.join(' ')};`,
    );
    // Everything but the data directory, whose place is taken by the server.
    const command = JSON.parse(dockerfile('CMD')) as string[];
    expect(plumbline?.command).toEqual(command.slice(0, command.indexOf('--data-dir')));
    expect(mounts(plumbline).map((mount) => mount.to)).toEqual([
      plumbline?.command?.[plumbline.command.indexOf('--config') + 1],
      dockerfile('VOLUME'),
    ]);
    expect(plumbline?.read_only).toBe(true);
    expect(config.reports.dir?.startsWith(`${dockerfile('VOLUME')}/`)).toBe(true);
  });

  it.each([
    ['prometheus', 'promtool', ['check', 'config'], 'SUCCESS'],
    ['alertmanager', 'amtool', ['check-config'], 'SUCCESS'],
  ])('mounts the files of %s where its configuration looks for them', async (name, tool, args, word) => {
    const service = compose.services[name];
    const container = join(scratch, name);
    for (const { from, to } of mounts(service))
      if (from.startsWith('./')) {
        mkdirSync(dirname(join(container, to)), { recursive: true });
        cpSync(join(root, from), join(container, to), { recursive: true });
      }
    const file = service?.command?.find((text) => text.startsWith('--config.file='))?.split('=')[1] ?? '';
    const { stdout } = await run(tool, [...args, join(container, file)]);
    expect(stdout).toContain(word);
    expect(stdout).toMatch(/1 rule files found|1 templates/);
  });

  it('points Prometheus and Grafana at containers, and gives Grafana its dashboards where it looks', () => {
    const hosts = Object.keys(compose.services);
    const prometheus = parse(read('deploy/compose/prometheus.yml')) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
      alerting: { alertmanagers: { static_configs: { targets: string[] }[] }[] };
    };
    const targets = [...prometheus.scrape_configs, ...prometheus.alerting.alertmanagers].flatMap((config) =>
      config.static_configs.flatMap((target) => target.targets),
    );
    expect(targets).toEqual(['plumbline:8080', 'alertmanager:9093']);
    const { datasources } = parse(read('deploy/compose/datasources.yaml')) as {
      datasources: { url?: string; jsonData: { host?: string } }[];
    };
    for (const source of datasources)
      expect(hosts).toContain(source.jsonData.host ?? new URL(source.url ?? '').hostname);
    const provider = parse(read('grafana/provisioning/dashboards/plumbline.yaml')) as {
      providers: { options: { path: string } }[];
    };
    expect(mounts(compose.services.grafana).map((mount) => mount.to)).toContain(
      provider.providers[0]?.options.path,
    );
    // The user that the data source names is the one that ClickHouse gets.
    const users = parse(read('deploy/compose/clickhouse-users.yaml')) as { users: Record<string, unknown> };
    expect(Object.keys(users.users)).toEqual(['grafana']);
  });
});
