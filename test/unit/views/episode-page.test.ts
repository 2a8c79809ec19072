import { expect, test } from '@jest/globals';
import { HOUR_MS } from '../../../src/domain/window.js';
import { renderEpisodePage } from '../../../src/views/episode-page.js';
import {
  episodeForms,
  loadEpisodes,
  modelSnoozeForms,
  standingNotes,
} from '../../../src/views/episode-words.js';
import { episodesTable } from '../../../src/views/parts.js';
import { createMemoryDesk } from '../../support/episode-desk.js';
import { outcomesOf } from '../../support/outcomes.js';

const ODD = '<img src=x onerror="alert(1)">';
const asked = (note: string) => ({ by: ODD, via: 'local', note });

async function setUp() {
  const memory = createMemoryDesk([
    { model: 'churn', modelVersion: '3', schema: { task: 'binary', features: [] }, registeredAtMs: 1 },
  ]);
  await memory.judge(outcomesOf('dd'));
  await memory.judge(outcomesOf('cd', { category: 'service' }));
  const [episode] = await memory.desk.list({ model: 'churn', limit: 1 });
  return { ...memory, id: episode?.id ?? '' };
}

test('the page of an episode tells its life, and what people wrote is text', async () => {
  const { desk, id } = await setUp();
  await desk.acknowledge('churn', id, asked(ODD));
  await desk.snooze({ model: 'churn', category: null, episodeId: id }, 12 * HOUR_MS, asked(''));
  const page = renderEpisodePage(await desk.read('churn', id), [], 0);
  for (const words of [
    'drift episode',
    'acknowledged',
    'snoozed until',
    'first drifted window judged',
    'ks',
    'end its snooze',
    'take the acknowledgement back',
    'Estimated performance did not move with it',
  ])
    expect(page).toContain(words);
  expect(page).not.toContain('<img');
  expect(page).not.toMatch(/NaN|undefined/);
  await desk.unsnooze({ model: 'churn', category: null, episodeId: id }, asked(''));
  const awake = String(episodeForms(await desk.read('churn', id)));
  expect(awake).not.toContain('end its snooze');
});

test('one that is over has no forms', async () => {
  const { desk, judge, id } = await setUp();
  await judge(outcomesOf('ddcc').slice(2));
  const page = renderEpisodePage(await desk.read('churn', id), [], 0);
  expect(page).toContain('resolved');
  expect(page).not.toContain('<form');
});

test("a model's page says what is pending and silent, and links to the episodes", async () => {
  const { desk, id, maintenance } = await setUp();
  maintenance.push({ kind: 'once', name: 'move', fromMs: 0, toMs: 12 * HOUR_MS });
  await desk.snooze({ model: 'churn', category: 'drift', episodeId: null }, 13 * HOUR_MS, asked('known'));
  const known = await loadEpisodes(desk, 'churn');
  const notes = String(standingNotes(known, '3'));
  expect(notes).toContain('Maintenance (move) until 1 Jan 1970 12:00');
  expect(notes).toMatch(/Snoozed until 1 Jan 1970 13:00 by .*: drift \(known\)/);
  expect(notes).toContain('Pending: 1 drifted window of the 2 that open a service episode.');
  expect(String(standingNotes(known, '4'))).not.toContain('Pending');
  const episodes = [...known.shown.values()];
  const table = String(episodesTable(episodes, { links: true, showModel: false, shown: known.shown }));
  expect(table).toContain(`href="/models/churn/versions/3/episodes/${id}"`);
  expect(table).toContain('snoozed until 1 Jan 1970 13:00');
  expect(String(episodesTable(episodes, { links: false, showModel: false }))).toContain('>open<');
  expect(String(modelSnoozeForms({ model: 'churn', modelVersion: '3' }, known.silence))).toContain(
    'end the snooze of drift',
  );
});
