import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../prometheus/', import.meta.url));

describe('prometheus/', () => {
  it.each([
    ['promtool', ['check', 'config', 'prometheus.yml'], folder],
    ['promtool', ['check', 'rules', 'plumbline.yml'], `${folder}rules`],
    ['promtool', ['test', 'rules', 'plumbline.test.yml'], `${folder}rules`],
    ['amtool', ['check-config', 'alertmanager.yml'], folder],
  ])('passes %s %j', async (tool, args, cwd) => {
    const { stdout } = await run(tool, args, { cwd });
    expect(stdout).toContain('SUCCESS');
  });

  it.each([
    ['PlumblineDrift', 'critical', 'drift', 'page'],
    ['PlumblineDrift', 'warning', 'drift', 'chat'],
    ['PlumblineDown', 'critical', 'plumbline', 'page'],
    ['PlumblineLatency', 'warning', 'service', 'chat'],
    ['PlumblineRejectedSpike', 'warning', 'plumbline', 'chat-service'],
    ['PlumblineDataQuality', 'warning', 'dataQuality', 'chat-data'],
    ['PlumblineDataQuality', 'critical', 'dataQuality', 'page'],
    ['PlumblineDeadMan', 'none', '', 'watchdog'],
  ])('routes %s, %s, of %s, to %s', async (alertname, severity, route, receiver) => {
    const { stdout } = await run(
      'amtool',
      [
        'config',
        'routes',
        'test',
        '--config.file=alertmanager.yml',
        `alertname=${alertname}`,
        `severity=${severity}`,
        `route=${route}`,
        'model=churn',
      ],
      { cwd: folder },
    );
    expect(stdout.trim()).toBe(receiver);
  });
});
