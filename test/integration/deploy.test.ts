import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { parseConfig } from '../../src/config.js';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'plumbline-deploy-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Container {
  image: string;
  args: string[];
  ports: { name: string; containerPort: number }[];
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
  securityContext: Record<string, unknown>;
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  startupProbe: Probe;
  livenessProbe: Probe;
  readinessProbe: Probe;
}
interface Probe {
  httpGet: { path: string; port: string };
}
interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels: Record<string, string> };
  data?: Record<string, string>;
  spec?: unknown;
}
interface StatefulSetSpec {
  replicas: number;
  serviceName: string;
  selector: { matchLabels: Record<string, string> };
  template: {
    metadata: { labels: Record<string, string> };
    spec: {
      securityContext: Record<string, unknown>;
      automountServiceAccountToken: boolean;
      containers: Container[];
      volumes: { name: string; configMap?: { name: string }; secret?: { secretName: string } }[];
    };
  };
  volumeClaimTemplates: { metadata: { name: string } }[];
}

const kustomization = parse(read('deploy/kubernetes/kustomization.yaml')) as {
  resources: string[];
  configMapGenerator: { name: string; files: string[] }[];
};
const manifests = kustomization.resources.flatMap((file) =>
  parseAllDocuments(read(`deploy/kubernetes/${file}`)).map((document) => document.toJS() as Manifest),
);
const specOf = <Spec>(kind: string) => {
  const found = manifests.filter((manifest) => manifest.kind === kind);
  expect(found).toHaveLength(1);
  return found[0]?.spec as Spec;
};

/** The last instruction of that name, continued lines joined. */
function dockerfile(instruction: string): string {
  const lines = read('Dockerfile').replaceAll('\\\n', ' ').split('\n');
  const line = lines.findLast((text) => text.startsWith(`${instruction} `));
  if (line === undefined) throw new TypeError(`the Dockerfile has no ${instruction}`);
  return line.slice(instruction.length + 1).trim();
}

describe('generated files of deploy/', () => {
  it('are what scripts/deploy.mjs writes: else run `npm run deploy`', async () => {
    const { stdout } = await run(process.execPath, [join(root, 'scripts/deploy.mjs'), scratch]);
    const files = stdout.trim().split('\n');
    expect(files).toHaveLength(4);
    for (const file of files) expect(read(file)).toBe(readFileSync(join(scratch, file), 'utf8'));
  });

  it('hold the rules and dashboards to the letter', () => {
    const rules = specOf<{ groups: unknown }>('PrometheusRule');
    expect(rules.groups).toEqual((parse(read('prometheus/rules/plumbline.yml')) as typeof rules).groups);
    const dashboards = manifests.filter((manifest) => manifest.metadata.labels.grafana_dashboard === '1');
    expect(dashboards.map((manifest) => Object.values(manifest.data ?? {}))).toEqual(
      readdirSync(join(root, 'grafana/dashboards'))
        .toSorted()
        .map((name) => [read(`grafana/dashboards/${name}`)]),
    );
  });

  it('hold rules that promtool takes', async () => {
    const file = join(scratch, 'rules.yml');
    writeFileSync(file, stringify(specOf('PrometheusRule')));
    const { stdout } = await run('promtool', ['check', 'rules', file]);
    expect(stdout).toContain('SUCCESS');
  });
});

describe('deploy/kubernetes', () => {
  const set = specOf<StatefulSetSpec>('StatefulSet');
  const pod = set.template.spec;
  const container = pod.containers[0] as Container;

  it('lists every manifest of the folder', () => {
    const files = readdirSync(join(root, 'deploy/kubernetes')).filter(
      (file) => file !== 'kustomization.yaml',
    );
    expect(
      [
        ...kustomization.resources,
        ...kustomization.configMapGenerator.flatMap((map) => map.files),
      ].toSorted(),
    ).toEqual(files.toSorted());
    expect(new Set(manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).size).toBe(
      manifests.length,
    );
  });

  it('selects the pods that it makes, by port names that they have', () => {
    const labels = set.template.metadata.labels;
    const service = manifests.find((manifest) => manifest.kind === 'Service') as Manifest;
    const { selector, ports } = service.spec as {
      selector: object;
      ports: { name: string; targetPort: string }[];
    };
    const monitor = specOf<{
      jobLabel: string;
      selector: { matchLabels: object };
      endpoints: { port: string; path: string }[];
    }>('ServiceMonitor');
    expect(labels).toMatchObject(set.selector.matchLabels);
    expect(labels).toMatchObject(selector);
    expect(set.serviceName).toBe(service.metadata.name);
    expect(service.metadata.labels).toMatchObject(monitor.selector.matchLabels);
    expect(ports.map((port) => port.targetPort)).toEqual(container.ports.map((port) => port.name));
    expect(monitor.endpoints.map((endpoint) => endpoint.port)).toEqual(ports.map((port) => port.name));
    // The rules speak of job="plumbline".
    expect(service.metadata.labels[monitor.jobLabel]).toBe('plumbline');
    expect(read('prometheus/rules/plumbline.yml')).toContain('job="plumbline"');
  });

  it('runs the image as the Dockerfile does: command, port, user, data directory', () => {
    expect(container.args).toEqual(JSON.parse(dockerfile('CMD')));
    expect(container.ports.map((port) => String(port.containerPort))).toEqual([dockerfile('EXPOSE')]);
    expect(dockerfile('USER')).toBe(`${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`);
    expect(container.volumeMounts.map((mount) => mount.mountPath)).toContain(dockerfile('VOLUME'));
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(container.image).toBe(`plumbline:${version}`);
  });

  it('gives the process no right that it does not need', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources.limits.memory).toBe('2Gi');
  });

  it('mounts what it defines, and only what it must is writable', () => {
    const defined = [...pod.volumes, ...set.volumeClaimTemplates.map((claim) => claim.metadata)];
    expect(container.volumeMounts.map((mount) => mount.name).toSorted()).toEqual(
      defined.map((volume) => volume.name).toSorted(),
    );
    expect(
      container.volumeMounts.filter((mount) => mount.readOnly !== true).map((mount) => mount.mountPath),
    ).toEqual(['/data', '/tmp']);
    expect(pod.volumes.flatMap((volume) => volume.configMap?.name ?? [])).toEqual(
      kustomization.configMapGenerator.map((map) => map.name),
    );
  });

  it('probes and scrapes paths that the server has', () => {
    const monitor = specOf<{ endpoints: { path: string }[] }>('ServiceMonitor');
    const paths = [container.startupProbe, container.livenessProbe, container.readinessProbe].map((probe) => {
      expect(probe.httpGet.port).toBe(container.ports[0]?.name);
      return probe.httpGet.path;
    });
    expect(paths).toEqual(['/healthz', '/healthz', '/readyz']);
    const server = read('src/http/server.ts');
    for (const path of [...paths, ...monitor.endpoints.map((endpoint) => endpoint.path)])
      expect(server).toContain(`app.get('${path}'`);
  });

  it('has a configuration that the service takes, with keys where the pod mounts them', () => {
    const config = parseConfig(parse(read('deploy/kubernetes/plumbline.yaml')));
    const keys = container.volumeMounts.find((mount) => mount.name === 'keys');
    expect(config.http.host).toBe('0.0.0.0');
    expect(config.http.port).toBe(container.ports[0]?.containerPort);
    expect(dirname(config.http.keysFile ?? '')).toBe(keys?.mountPath);
  });
});

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
