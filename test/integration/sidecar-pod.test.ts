import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');

interface Sidecar {
  readonly name: string;
  readonly restartPolicy: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string }[];
  readonly startupProbe: { readonly exec: { readonly command: readonly string[] } };
  readonly readinessProbe: { readonly exec: { readonly command: readonly string[] } };
  readonly securityContext: Record<string, unknown>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

const pod = parse(readFileSync(join(root, 'deploy/kubernetes-sidecar/pod.yaml'), 'utf8')) as {
  readonly kind: string;
  readonly spec: {
    readonly terminationGracePeriodSeconds: number;
    readonly securityContext: Record<string, unknown>;
    readonly initContainers: readonly Sidecar[];
    readonly containers: readonly unknown[];
    readonly volumes: readonly { readonly name: string }[];
  };
};
const [sidecar] = pod.spec.initContainers as [Sidecar];
const argument = (name: string) => sidecar.args[sidecar.args.indexOf(name) + 1] ?? '';

describe('the pod with a sidecar', () => {
  it('runs what the image holds, with options that it knows', async () => {
    expect(pod.kind).toBe('Pod');
    expect(sidecar.command.slice(0, -1)).toEqual(['node']);
    const program = join(root, sidecar.command.at(-1)?.replace('/app/', '') ?? '');
    expect(existsSync(program)).toBe(true);
    const { stdout } = await run(process.execPath, [program, '--help']);
    const options = sidecar.args.filter((text) => text.startsWith('--'));
    expect(options.length).toBeGreaterThan(0);
    for (const option of options) expect(stdout).toContain(`${option} `);
    for (const { name } of sidecar.env) expect(stdout).toContain(`env: ${name}`);
  });

  it('starts before the model server, and has time to deliver what is left', () => {
    expect(sidecar.restartPolicy).toBe('Always');
    expect(Number(argument('--drain-ms'))).toBeLessThan(1_000 * pod.spec.terminationGracePeriodSeconds);
    expect(pod.spec.containers).toHaveLength(1);
  });

  it('may write to its volume alone, as nobody special', () => {
    const [mount] = sidecar.volumeMounts;
    expect(sidecar.volumeMounts).toHaveLength(1);
    expect(mount?.mountPath).toBe(argument('--dir'));
    expect(pod.spec.volumes.map(({ name }) => name)).toContain(mount?.name);
    expect(pod.spec.securityContext).toMatchObject({ runAsNonRoot: true });
    expect(sidecar.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('is asked where it listens', () => {
    for (const { exec } of [sidecar.startupProbe, sidecar.readinessProbe])
      expect(exec.command.join(' ')).toContain(`127.0.0.1:${argument('--port')}/readyz`);
  });
});
