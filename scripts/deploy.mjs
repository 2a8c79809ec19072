// Writes the files of deploy/ that follow from prometheus/ and grafana/. They are committed; a test compares them.
// Usage: node scripts/deploy.mjs [DIR]   (npm run deploy; DIR takes the place of the tree's root, for the test)
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';

const root = new URL('../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const header = (from) => `# Written by \`npm run deploy\` from ${from}; do not edit.\n`;
const toYaml = (value) => stringify(value, { lineWidth: 0 });
const labels = { 'app.kubernetes.io/name': 'plumbline' };

/** Hosts of the containers, in place of one machine's ports. */
const CONTAINERS = {
  '127.0.0.1:8080': 'plumbline:8080',
  '127.0.0.1:9090': 'prometheus:9090',
  '127.0.0.1:9093': 'alertmanager:9093',
};

function amongContainers(text) {
  let moved = text;
  for (const [from, to] of Object.entries(CONTAINERS)) moved = moved.replaceAll(from, to);
  return moved;
}

function composePrometheus() {
  const from = 'prometheus/prometheus.yml';
  return header(from) + toYaml(parse(amongContainers(read(from))));
}

function composeDatasources() {
  const from = 'grafana/provisioning/datasources/plumbline.yaml';
  const document = parse(amongContainers(read(from)));
  for (const source of document.datasources)
    if (source.type === 'grafana-clickhouse-datasource') source.jsonData.host = 'clickhouse';
  return header(from) + toYaml(document);
}

function prometheusRule() {
  const from = 'prometheus/rules/plumbline.yml';
  const { groups } = parse(read(from));
  return (
    header(from) +
    toYaml({
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name: 'plumbline', labels },
      spec: { groups },
    })
  );
}

function dashboards() {
  const from = 'grafana/dashboards';
  const maps = readdirSync(new URL(`${from}/`, root))
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: `plumbline-dashboard-${name.replace(/\.json$/, '')}`,
        labels: { ...labels, grafana_dashboard: '1' },
      },
      data: { [`plumbline-${name}`]: read(`${from}/${name}`) },
    }));
  return header(from) + maps.map(toYaml).join('---\n');
}

const files = {
  'deploy/compose/prometheus.yml': composePrometheus(),
  'deploy/compose/datasources.yaml': composeDatasources(),
  'deploy/kubernetes/prometheus-rule.yaml': prometheusRule(),
  'deploy/kubernetes/dashboards.yaml': dashboards(),
};
const target = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
for (const [path, content] of Object.entries(files)) {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  writeFileSync(join(target, path), content);
  process.stdout.write(`${path}\n`);
}
