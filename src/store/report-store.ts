import {
  REPORT_READY,
  type ReportEntry,
  type ReportFacts,
  type ReportRun,
  type ReportStore,
} from '../domain/report.js';
import type { StoreClient } from './client.js';
import { dateTime64, fromBody, toBody } from './encoding.js';

const OF_MODEL = 'model = {model:String}';

interface EntryRow extends Omit<ReportEntry, 'period'> {
  readonly startMs: number;
  readonly endMs: number;
}

const ms = (column: string) => `toUnixTimestamp64Milli(${column})`;

export function createReportStore(client: StoreClient, nextRevision: () => number): ReportStore {
  async function idsWhere(where: string, params: Readonly<Record<string, unknown>>): Promise<string[]> {
    const rows = await client.query<{ id: string }>(`SELECT DISTINCT id FROM reports WHERE ${where}`, {
      ...params,
    });
    return rows.map(({ id }) => id);
  }

  const remove = (table: string, where: string, params: Readonly<Record<string, unknown>>) =>
    client.command(`ALTER TABLE ${table} DELETE WHERE ${where} SETTINGS mutations_sync = 2`, { ...params });

  async function removeReports(model: string, ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const where = `${OF_MODEL} AND id IN {ids:Array(String)}`;
    const found = await idsWhere(where, { model, ids });
    if (found.length > 0) await remove('reports', where, { model, ids: found });
    return found.length;
  }

  return {
    // Under no token of its own: a report that was erased, or whose model was deleted, may be made anew.
    saveReport: ({ facts, html }) =>
      client.insert('reports', [
        {
          id: facts.id,
          model: facts.model,
          schedule: facts.schedule,
          time_zone: facts.timeZone,
          versions: facts.versions.map(({ modelVersion }) => modelVersion),
          period_start: dateTime64(facts.period.startMs),
          period_end: dateTime64(facts.period.endMs),
          made_at: dateTime64(facts.madeAtMs),
          missed: facts.missed,
          summary: facts.summary,
          facts: toBody(facts),
          html,
          revision: nextRevision(),
        },
      ]),

    async findReport(model, id) {
      const [row] = await client.query<{ facts: string; html: string }>(
        `SELECT facts, html FROM reports WHERE ${OF_MODEL} AND id = {id:String} ORDER BY revision DESC LIMIT 1`,
        { model, id },
      );
      return row === undefined ? null : { facts: fromBody<ReportFacts>(row.facts), html: row.html };
    },

    async listReports({ model, schedule, limit }) {
      const rows = await client.query<EntryRow>(
        `SELECT id, model, schedule, time_zone AS timeZone, versions, missed, summary,
                ${ms('period_start')} AS startMs, ${ms('period_end')} AS endMs, ${ms('made_at')} AS madeAtMs
         FROM reports FINAL
         WHERE ({anyModel:Bool} OR ${OF_MODEL}) AND ({schedule:String} = '' OR schedule = {schedule:String})
         ORDER BY made_at DESC, id LIMIT {limit:UInt32}`,
        { anyModel: model === undefined, model: model ?? '', schedule: schedule ?? '', limit },
      );
      return rows.map(({ startMs, endMs, ...row }) => ({ ...row, period: { startMs, endMs } }));
    },

    removeReports,

    async removeReportsWith(model, texts) {
      const needles = texts.filter((text) => text !== '');
      if (needles.length === 0) return 0;
      const found: string[] = [];
      for (const column of ['html', 'facts'])
        found.push(
          ...(await idsWhere(`${OF_MODEL} AND multiSearchAny(${column}, {needles:Array(String)})`, {
            model,
            needles,
          })),
        );
      const ids = [...new Set(found)];
      if (ids.length === 0) return 0;
      await remove(
        'webhook_events',
        `${OF_MODEL} AND type = {type:String} AND episode_id IN {ids:Array(String)}`,
        { model, type: REPORT_READY, ids },
      );
      return removeReports(model, ids);
    },

    saveReportRun: (run) =>
      client.insert('report_runs', [
        {
          model: run.model,
          schedule: run.schedule,
          id: run.id,
          fires_at: dateTime64(run.firesAtMs),
          state: run.state,
          attempts: run.attempts,
          missed: run.missed,
          detail: run.detail,
          at: dateTime64(run.atMs),
          revision: nextRevision(),
        },
      ]),

    async lastReportRun(model, schedule) {
      const [row] = await client.query<ReportRun>(
        `SELECT model, schedule, id, ${ms('fires_at')} AS firesAtMs, state, attempts, missed, detail, ${ms('at')} AS atMs
         FROM report_runs FINAL WHERE ${OF_MODEL} AND schedule = {schedule:String}
         ORDER BY fires_at DESC LIMIT 1`,
        { model, schedule },
      );
      return row ?? null;
    },
  };
}
