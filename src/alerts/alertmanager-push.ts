import type { Clock } from '../domain/clock.js';
import type { Episode } from '../domain/episode.js';
import type { EpisodeStore, Logger } from '../domain/ports.js';
import type { Standing } from '../domain/silence.js';
import type { EpisodeCategory } from '../domain/verdict.js';
import { messageOf } from '../errors.js';
import type { Metrics } from '../metrics.js';
import { type AlertLinks, alertOf, type EpisodeAlert, type PostableAlert } from './episode-alerts.js';

/** A firing alert ends by itself when it was not sent again for so many times `resendMs`: what Prometheus does. */
const LIVES = 4;
/** An end is told again for so long, to one that missed it, as Prometheus does. */
const RESOLVED_MS = 15 * 60_000;
/** After a failure. */
const RETRY_MS = 5_000;
const POLL_MS = 1_000;
const TIMEOUT_MS = 10_000;
/** All that are open: one that is left out would be resolved by mistake. */
const MAX_OPEN = 100_000;
const MAX_CLOSED = 1_000;
const MAX_ANSWER = 300;

export interface AlertmanagerPushOptions {
  /** Of every Alertmanager of a cluster: they tell each other what was notified, not what fires. */
  readonly urls: readonly string[];
  /** Firing alerts are sent again so often. */
  readonly resendMs: number;
  /** Of each request, as `authorization`. */
  readonly authorization?: string | undefined;
  readonly store: Pick<EpisodeStore, 'listEpisodes'>;
  readonly standingOf: (episode: Episode) => Standing;
  readonly routeOf: (model: string, category: EpisodeCategory) => string;
  readonly links: AlertLinks;
  /** Whether this process tells; one of several does. */
  readonly active: () => boolean;
  /** The service's clock, which stamps episodes. */
  readonly clock: Clock;
  /** Alertmanager lives in real time. */
  readonly wallClock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'alertmanagerPushes'>;
}

interface Target {
  readonly url: string;
  dueMs: number;
  failing: boolean;
}

interface Ended {
  readonly alert: EpisodeAlert;
  readonly endsAtMs: number;
}

const keyOf = ({ labels }: EpisodeAlert) => JSON.stringify(labels);

/**
 * Tells Alertmanager of open episodes without Prometheus. What fires is read from the store each time, so a restart, or another process
 * that takes over, resolves nothing by mistake; what has ended is told for a quarter of an hour. Silent episodes are left out: an alert
 * that was told already ends, and fires anew if its episode outlasts the silence.
 */
export function createAlertmanagerPush(options: AlertmanagerPushOptions) {
  const { store, standingOf, routeOf, links, active, clock, wallClock, metrics, resendMs } = options;
  const logger = options.logger.child({ component: 'alertmanager' });
  const targets: Target[] = options.urls.map((url) => ({
    url: `${url.replace(/\/+$/, '')}/api/v2/alerts`,
    dueMs: 0,
    failing: false,
  }));
  /** What was told to fire by this process, by labels. */
  let firing = new Map<string, EpisodeAlert>();
  const ended = new Map<string, Ended>();
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopping = false;
  let led = false;
  let asked = false;
  for (const outcome of ['sent', 'failed']) metrics.alertmanagerPushes.inc({ outcome }, 0);

  const alertFor = (episode: Episode) => alertOf(episode, routeOf(episode.model, episode.category), links);

  /** Ends that another process, or this one before a restart, may not have told. */
  async function endedBefore(nowMs: number): Promise<void> {
    const closed = await store.listEpisodes({ state: 'closed', limit: MAX_CLOSED });
    for (const episode of closed) {
      const sinceMs = clock.now() - (episode.closedAtMs ?? 0);
      const alert = alertFor(episode);
      if (sinceMs < RESOLVED_MS && !ended.has(keyOf(alert)))
        ended.set(keyOf(alert), { alert, endsAtMs: nowMs - Math.max(0, sinceMs) });
    }
  }

  /** What is to be told, and whether anything of it is news. */
  async function look(nowMs: number): Promise<{ alerts: PostableAlert[]; news: boolean }> {
    const begins = !led;
    if (begins) {
      // What it told before it led no more is old.
      firing = new Map();
      ended.clear();
      await endedBefore(nowMs);
      led = true;
    }
    const open = await store.listEpisodes({ state: 'open', limit: MAX_OPEN });
    const loud = open.filter((episode) => standingOf(episode).silence === null).map(alertFor);
    const now = new Map(loud.map((alert) => [keyOf(alert), alert]));
    const over = [...firing].filter(([key]) => !now.has(key));
    const news = begins || over.length > 0 || [...now.keys()].some((key) => !firing.has(key));
    for (const [key, alert] of over) ended.set(key, { alert, endsAtMs: nowMs });
    // An episode that opens again has the same labels.
    for (const [key, { endsAtMs }] of ended)
      if (now.has(key) || nowMs - endsAtMs > RESOLVED_MS) ended.delete(key);
    firing = now;
    const alerts = [
      ...[...firing.values()].map((alert) => postable(alert, nowMs, nowMs + LIVES * resendMs)),
      ...[...ended.values()].map(({ alert, endsAtMs }) => postable(alert, nowMs, endsAtMs)),
    ];
    return { alerts, news };
  }

  async function send(target: Target, alerts: readonly PostableAlert[]): Promise<void> {
    const nowMs = wallClock.now();
    const failure = await post(target.url, alerts, options.authorization);
    metrics.alertmanagerPushes.inc({ outcome: failure === null ? 'sent' : 'failed' });
    target.dueMs = nowMs + (failure === null ? resendMs : RETRY_MS);
    if (failure !== null && !target.failing)
      logger.warn({ alertmanager: new URL(target.url).host, reason: failure }, 'alerts not taken, trying on');
    if (failure === null && target.failing)
      logger.info({ alertmanager: new URL(target.url).host }, 'alerts are taken again');
    target.failing = failure !== null;
  }

  async function pushDue(): Promise<void> {
    if (!active()) {
      led = false;
      return;
    }
    const nowMs = wallClock.now();
    const due = targets.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length === 0 && !asked) return;
    asked = false;
    const { alerts, news } = await look(nowMs).catch((error: unknown) => {
      // What was judged is still to be told.
      asked = true;
      throw error;
    });
    // The store may have answered late, when another process tells already.
    if (active()) await Promise.all((news ? targets : due).map((target) => send(target, alerts)));
  }

  /** One at a time. */
  function push(): Promise<void> {
    running ??= pushDue().finally(() => {
      running = null;
    });
    return running;
  }

  function schedule(): void {
    timer = setTimeout(() => {
      push()
        .catch((error: unknown) =>
          logger.error({ reason: messageOf(error) }, 'open episodes not read, trying on'),
        )
        .finally(() => {
          if (!stopping) schedule();
        });
    }, POLL_MS);
  }

  return {
    push,
    /** Windows were judged: if an episode opened or ended, every Alertmanager is told now. */
    changed(): void {
      asked = true;
    },
    start(): void {
      stopping = false;
      schedule();
    },
    /** Tells nobody that anything has ended: what is open goes on, and another process, or the next start, tells of it. */
    async stop(): Promise<void> {
      stopping = true;
      if (timer !== null) clearTimeout(timer);
      await Promise.allSettled([running]);
    },
  };
}

function postable({ startsAtMs, ...alert }: EpisodeAlert, nowMs: number, endsAtMs: number): PostableAlert {
  const time = (ms: number) => new Date(ms).toISOString();
  // Of a clock that follows the data it may lie in the future; Alertmanager takes no alert that ends before it starts.
  return { ...alert, startsAt: time(Math.min(startsAtMs, nowMs, endsAtMs)), endsAt: time(endsAtMs) };
}

/** Null when they were taken, else why not. */
async function post(
  url: string,
  alerts: readonly PostableAlert[],
  authorization: string | undefined,
): Promise<string | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'plumbline',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: JSON.stringify(alerts),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await response.text();
    return response.ok ? null : `status ${response.status}: ${answer.slice(0, MAX_ANSWER)}`;
  } catch (error) {
    return `no answer: ${messageOf(error)}`;
  }
}

export type AlertmanagerPush = ReturnType<typeof createAlertmanagerPush>;
