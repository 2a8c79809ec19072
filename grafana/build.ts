import { model } from './model.js';
import { overview } from './overview.js';
import { service } from './service.js';

/** Every dashboard as the text of its file in `grafana/dashboards`. */
export function dashboardFiles(): { name: string; text: string }[] {
  return Object.entries({ overview, model, service }).map(([name, build]) => ({
    name: `${name}.json`,
    text: `${JSON.stringify(build(), null, 2)}\n`,
  }));
}
