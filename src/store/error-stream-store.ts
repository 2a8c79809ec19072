import type {
  ErrorStreamState,
  ErrorStreamStore,
  LabelCursor,
  StreamDetection,
  StreamDetectorName,
} from '../domain/error-stream.js';
import type { StoreClient } from './client.js';
import { dateTime64, fromBody, toBody } from './encoding.js';
import { ARRIVAL } from './profile-source.js';

const OF_VERSION = 'model = {model:String} AND version = {version:String}';
/** Of detections. Parameters: from, to. */
const WITHIN = "AND label_ts >= {from:DateTime64(3, 'UTC')} AND label_ts < {to:DateTime64(3, 'UTC')}";
const START: LabelCursor = { storedMs: 0, labelMs: 0, fingerprint: '0' };

/** A class as text, whatever it was sent as. */
const classOf = (column: 'prediction' | 'label') =>
  `ifNull(toString(${column}_cat), toString(${column}_num))`;

/** Labels after a cursor in their order. Parameters: model, version, stored, labelled, fingerprint, rows, settled. */
const PAGE = `
  SELECT identity, ingested_at, labels.ts AS label_ts, fingerprint, label_num, label_cat FROM labels
  WHERE ${OF_VERSION} AND ingested_at >= {stored:DateTime64(3, 'UTC')}
    AND ingested_at <= now64(3, 'UTC') - toIntervalMillisecond({settled:UInt64})
    AND (ingested_at, labels.ts, fingerprint) > ({stored:DateTime64(3, 'UTC')}, {labelled:DateTime64(3, 'UTC')}, {fingerprint:UInt64})
  ORDER BY ingested_at, labels.ts, fingerprint LIMIT {rows:UInt64}`;

const WITH_IDENTITY = `${OF_VERSION} AND identity IN (SELECT identity FROM (${PAGE}))`;

/** Predictions are kept in full for a while, and those that were labelled longer. */
const errorsSql = (regression: boolean) => `
  SELECT toUnixTimestamp64Milli(page.ingested_at) AS stored, toUnixTimestamp64Milli(label_ts) AS labelled,
    toString(page.fingerprint) AS fingerprint, p.found AS found,
    (page.ingested_at, label_ts, page.fingerprint) = f.first AS is_first,
    ${
      regression
        ? 'abs(p.prediction_num - label_num)'
        : `if(isNull(${classOf('prediction')}) OR isNull(${classOf('label')}), NULL, toFloat64(${classOf('prediction')} != ${classOf('label')}))`
    } AS error
  FROM (${PAGE}) AS page
  LEFT JOIN (
    SELECT identity, 1 AS found, any(prediction_num) AS prediction_num, any(prediction_cat) AS prediction_cat
    FROM (SELECT identity, prediction_num, prediction_cat FROM predictions WHERE ${WITH_IDENTITY}
          UNION ALL
          SELECT identity, prediction_num, prediction_cat FROM performance_rows WHERE ${WITH_IDENTITY})
    GROUP BY identity) AS p ON page.identity = p.identity
  LEFT JOIN (
    SELECT identity, min((ingested_at, labels.ts, fingerprint)) AS first FROM labels WHERE ${WITH_IDENTITY} GROUP BY identity) AS f
    ON page.identity = f.identity
  ORDER BY page.ingested_at, label_ts, page.fingerprint`;

/** Errors in the order of labels, and what stream detectors made of them. */
export function createErrorStreamStore(client: StoreClient, nextRevision: () => number): ErrorStreamStore {
  return {
    labelArrivals: () =>
      client.query(
        `SELECT model, version AS modelVersion, sum(n) AS labels, max(arrival) AS newest
         FROM (SELECT model, version, ${ARRIVAL} AS arrival, count() AS n FROM labels GROUP BY model, version, arrival)
         GROUP BY model, version ORDER BY model, version`,
      ),

    async nextErrors({ regression, ...key }, after, { rows, settledMs }) {
      const from = after ?? START;
      const page = await client.query<{
        stored: number;
        labelled: number;
        fingerprint: string;
        found: number;
        is_first: number;
        error: number | string | null;
      }>(errorsSql(regression), {
        model: key.model,
        version: key.modelVersion,
        stored: dateTime64(from.storedMs),
        labelled: dateTime64(from.labelMs),
        fingerprint: from.fingerprint,
        rows,
        settled: settledMs,
      });
      const last = page.at(-1);
      return {
        // Infinite errors come as text, and no sum could take them.
        errors: page.flatMap(({ is_first, error, labelled }) =>
          is_first === 1 && typeof error === 'number' ? [{ error, labelMs: labelled }] : [],
        ),
        labels: page.length,
        unmatched: page.filter(({ found }) => found === 0).length,
        cursor:
          last === undefined
            ? null
            : { storedMs: last.stored, labelMs: last.labelled, fingerprint: last.fingerprint },
      };
    },

    async errorStream(key) {
      const [row] = await client.query<{ body: string }>(
        `SELECT body FROM error_streams WHERE ${OF_VERSION} ORDER BY revision DESC LIMIT 1`,
        { model: key.model, version: key.modelVersion },
      );
      return row === undefined ? null : fromBody<ErrorStreamState>(row.body);
    },

    async saveErrorStream(key, state, detections) {
      const of = { model: key.model, version: key.modelVersion };
      const revision = nextRevision();
      if (detections.length > 0)
        await client.insert(
          'stream_detections',
          detections.map(({ detector, position, labelMs }) => ({
            ...of,
            detector,
            position,
            label_ts: dateTime64(labelMs),
            revision,
          })),
        );
      await client.insert('error_streams', [{ ...of, body: toBody(state), revision }]);
    },

    async streamDetections({ model, modelVersion, limit, period }) {
      const rows = await client.query<{ detector: StreamDetectorName; position: number; labelled: number }>(
        `SELECT detector, position, toUnixTimestamp64Milli(label_ts) AS labelled FROM stream_detections FINAL
         WHERE ${OF_VERSION} ${period === undefined ? '' : WITHIN} ORDER BY position DESC, detector LIMIT {limit:UInt64}`,
        {
          model,
          version: modelVersion,
          limit,
          ...(period === undefined ? {} : { from: dateTime64(period.startMs), to: dateTime64(period.endMs) }),
        },
      );
      return rows.map(
        ({ detector, position, labelled }): StreamDetection => ({ detector, position, labelMs: labelled }),
      );
    },
  };
}
