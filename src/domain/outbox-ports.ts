import type { AttemptClaim, PendingEvent, WebhookAttempt, WebhookEvent, WebhookHold } from './episode.js';

export interface OutboxStore {
  /** Writing an event again under its id changes nothing. */
  saveEvent(event: WebhookEvent): Promise<void>;
  saveAttempt(attempt: WebhookAttempt): Promise<void>;
  /** Claims an attempt, before it is made. Of all processes that claim the same one, one gets true. */
  claimAttempt(claim: AttemptClaim): Promise<boolean>;
  /** Events of which no attempt was the last, oldest first. */
  pendingEvents(): Promise<PendingEvent[]>;
  /** Newest first. */
  listEvents(query: {
    id?: string;
    model?: string;
    hook?: string;
    /** How the last attempt ended; `pending` is without one, or with one that another follows. */
    state?: 'pending' | 'delivered' | 'failed' | 'skipped';
    limit: number;
  }): Promise<{ event: WebhookEvent; attempts: WebhookAttempt[] }[]>;
  /** Replaces the hold of the same model, hook and reason. */
  saveHold(hold: WebhookHold): Promise<void>;
  /** Those that hold. */
  listHolds(): Promise<WebhookHold[]>;
}
