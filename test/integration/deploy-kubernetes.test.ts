import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { parseConfig } from '../../src/config.js';
import { dockerfile, read, root, run } from '../support/deploy-files.js';

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
