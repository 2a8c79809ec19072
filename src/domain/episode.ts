import type { Segment } from './segment.js';
import type { EpisodeCategory } from './verdict.js';
import type { Window } from './window.js';

export interface EpisodeDriver {
  readonly feature: string;
  /** The rows that moved; all when left out. */
  readonly segment?: Segment;
  readonly detector: string;
  readonly statistic: number;
  readonly threshold: number;
  readonly effect: number;
}

/** Whether the performance of a version moved while its data drifted. */
export interface PerformanceMove {
  readonly moved: 'moved' | 'not_moved' | 'cannot_tell';
  /** What says so: labels, or what is expected before they come; null where nothing can tell. */
  readonly kind: 'realised' | 'estimated' | null;
  readonly figure: string | null;
  /** Of the drifted stretch, with its 95 % interval, and of the reference. */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly reference: number | null;
}

/** A breach from opening to closing. The id is a hash of model, version, category and first window: a re-run yields the same. */
export interface Episode {
  readonly id: string;
  readonly model: string;
  readonly modelVersion: string;
  readonly category: EpisodeCategory;
  readonly severity: 'warning' | 'critical';
  readonly state: 'open' | 'closed';
  /** First drifted window of the streak that opened it. */
  readonly firstWindow: Window;
  /** The window whose judgement opened it. */
  readonly openedBy: Window;
  /** The window whose judgement closed it; null while open. */
  readonly closedBy: Window | null;
  readonly lastWindow: Window;
  /** Most affected columns when it opened, worst first. */
  readonly drivers: readonly EpisodeDriver[];
  /** What happened to them in that window, in sentences, first what moves the prediction most; left out where it is not known. */
  readonly why?: readonly string[];
  /** Of a drift, as far as it was known at its last window. */
  readonly performance?: PerformanceMove;
  /** When its first window was judged, by the service's clock; left out where that is not known. */
  readonly pendingAtMs?: number;
  readonly openedAtMs: number;
  readonly closedAtMs: number | null;
}

/** Drifted windows that are not enough yet to open an episode. It will have this id if it opens while they count. */
export interface PendingEpisode
  extends Pick<
    Episode,
    'id' | 'model' | 'modelVersion' | 'category' | 'firstWindow' | 'lastWindow' | 'severity' | 'drivers'
  > {
  /** Drifted windows so far, and how many open it. */
  readonly drifted: number;
  readonly needed: number;
}

/** N of the last M windows open an episode, N of M clean ones close it, then `cooldownMs` of event time must pass. */
export interface Policy {
  readonly openCount: number;
  readonly openWindows: number;
  readonly closeCount: number;
  /** As many as `closeCount`, in a row, when left out. */
  readonly closeWindows?: number;
  readonly cooldownMs: number;
  /** Windows with fewer rows decide nothing; 0 when left out. */
  readonly minimumRows?: number;
  /** Median effect, in minimum effects, from which an episode is critical, null for never; 2 when left out. */
  readonly criticalFrom?: Readonly<Record<EpisodeCategory, number | null>>;
}

/** Windows that a closing looks back on. */
export const closeWindowsOf = ({ closeCount, closeWindows }: Pick<Policy, 'closeCount' | 'closeWindows'>) =>
  closeWindows ?? closeCount;

/** An entry of the outbox: what has to reach a sink. The body is fixed when the event is written. */
export interface WebhookEvent {
  /** Stable over retries and restarts: the receiver's idempotency key. */
  readonly id: string;
  readonly type: string;
  readonly model: string;
  /** Which of the model's hooks it is for. */
  readonly hook: string;
  readonly episodeId: string;
  readonly body: string;
  readonly createdAtMs: number;
}

export interface WebhookAttempt {
  readonly eventId: string;
  readonly attempt: number;
  /**
   * `skipped`: the hook runs dry. `replay`: no attempt, but somebody's wish that there be new ones. `sending`: claimed by a process that
   * makes it; where that stays, the process died, or lost the store, before it could say what became of it.
   */
  readonly outcome: 'delivered' | 'retry' | 'failed' | 'skipped' | 'replay' | 'sending';
  /** HTTP status, 0 when no answer came. */
  readonly status: number;
  readonly detail: string;
  readonly atMs: number;
  /** When the next attempt is due; null when none will follow. */
  readonly nextAttemptAtMs: number | null;
}

/** The claim of a process on making one attempt: nobody else makes that one, nor a later one before `ttlMs` have passed. */
export interface AttemptClaim {
  readonly eventId: string;
  readonly attempt: number;
  readonly ttlMs: number;
  readonly atMs: number;
}

export interface PendingEvent {
  readonly event: WebhookEvent;
  readonly lastAttempt: WebhookAttempt | null;
  /** Since the event was written or replayed. */
  readonly failures: number;
  /** Its last attempt is being made, by a process whose claim has not run out. */
  readonly claimed: boolean;
}

/** What has become of an event, by its attempts in order; a delivery stands, whatever later attempts came to. */
export function eventState(
  attempts: readonly WebhookAttempt[],
): 'pending' | 'delivered' | 'failed' | 'skipped' {
  const outcomes = attempts.map(({ outcome }) => outcome);
  if (outcomes.slice(outcomes.lastIndexOf('replay') + 1).includes('delivered')) return 'delivered';
  const last = outcomes.at(-1);
  return last === 'failed' || last === 'skipped' ? last : 'pending';
}

/** Deliveries held back until somebody lets them go: a pause is a person's, `gone` an endpoint's answer 410. */
export interface WebhookHold {
  /** Empty for all models. */
  readonly model: string;
  /** Empty for all hooks. */
  readonly hook: string;
  readonly reason: 'paused' | 'gone';
  readonly held: boolean;
  readonly detail: string;
  readonly atMs: number;
}
