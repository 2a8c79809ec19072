import type { EpisodeAction, EpisodeActionStore } from '../domain/episode-action.js';
import type { StoredPolicy, StoredPolicyStore } from '../domain/stored-policy.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import { firstInsert } from './first-insert.js';

type StoredAction = Omit<EpisodeAction, 'category' | 'episodeId' | 'untilMs'> & {
  readonly category: EpisodeAction['category'] | '';
  readonly episodeId: string;
  readonly untilMs: number;
};

const ACTION_COLUMNS = `model, id, category, episode_id AS episodeId, kind, author AS by, via, note,
  toUnixTimestamp64Milli(at) AS atMs, toUnixTimestamp64Milli(until) AS untilMs`;
const POLICY_COLUMNS =
  'model, body, author AS by, via, note, toUnixTimestamp64Milli(at) AS atMs, revision AS written';

function actionOf({ category, episodeId, untilMs, ...rest }: StoredAction): EpisodeAction {
  return {
    ...rest,
    category: category === '' ? null : category,
    episodeId: episodeId === '' ? null : episodeId,
    untilMs: rest.kind === 'snoozed' ? untilMs : null,
  };
}

function policyOf(row: Omit<StoredPolicy, 'policy'> & { body: string; written: number }): StoredPolicy {
  const { body, written: _, ...rest } = row;
  return { ...rest, policy: body === '' ? null : (JSON.parse(body) as Record<string, unknown>) };
}

/** What people set and say through the API: policies, and what they do about episodes. */
export function createPolicyStore(
  client: StoreClient,
  nextRevision: () => number,
): EpisodeActionStore & StoredPolicyStore {
  return {
    saveAction: async (
      { model, id, category, episodeId, kind, by, via, note, atMs, untilMs },
      once = false,
    ) => {
      const insert = (token?: string) =>
        client.insert(
          'episode_actions',
          [
            {
              model,
              id,
              category: category ?? '',
              episode_id: episodeId ?? '',
              kind,
              author: by,
              via,
              note,
              at: dateTime64(atMs),
              until: dateTime64(untilMs ?? 0),
              revision: nextRevision(),
            },
          ],
          token,
        );
      if (!once) return insert();
      const stored = async () => {
        const found = await client.query(
          'SELECT id FROM episode_actions WHERE model = {model:String} AND id = {id:String} LIMIT 1',
          { model, id },
        );
        return found.length > 0;
      };
      // The engine forgets tokens at last.
      if (await stored()) return;
      await firstInsert(`action:${model}:${id}`, insert, async () => ((await stored()) ? 'ours' : 'nothing'));
    },

    listActions: async (model) =>
      (
        await client.query<StoredAction>(
          `SELECT ${ACTION_COLUMNS} FROM episode_actions FINAL WHERE model = {model:String} ORDER BY revision, id`,
          { model },
        )
      ).map(actionOf),

    // No list of ids as a parameter: it would stand in the address of the request.
    currentActions: async () =>
      (
        await client.query<StoredAction>(
          `SELECT ${ACTION_COLUMNS} FROM episode_actions FINAL
           WHERE episode_id = '' OR episode_id IN (SELECT id FROM episodes FINAL WHERE state = 'open') OR episode_id IN (
             SELECT episode_id FROM episode_actions FINAL WHERE kind IN ('held', 'released')
             GROUP BY episode_id HAVING countIf(kind = 'held') > countIf(kind = 'released'))
           ORDER BY revision, id`,
          {},
        )
      ).map(actionOf),

    savePolicy: ({ model, policy, by, via, note, atMs }) =>
      client.insert('policies', [
        {
          model,
          body: policy === null ? '' : JSON.stringify(policy),
          author: by,
          via,
          note,
          at: dateTime64(atMs),
          revision: nextRevision(),
        },
      ]),

    policyHistory: async (model) =>
      (
        await client.query<Parameters<typeof policyOf>[0]>(
          `SELECT ${POLICY_COLUMNS} FROM policies FINAL WHERE model = {model:String} ORDER BY revision DESC`,
          { model },
        )
      ).map(policyOf),

    storedPolicies: async () =>
      (
        await client.query<Parameters<typeof policyOf>[0]>(
          `SELECT ${POLICY_COLUMNS} FROM policies FINAL ORDER BY revision DESC LIMIT 1 BY model`,
          {},
        )
      )
        .map(policyOf)
        .filter(({ policy }) => policy !== null),
  };
}
