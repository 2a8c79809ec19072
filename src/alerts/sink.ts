import type { WebhookEvent } from '../domain/episode.js';

/** How one attempt ended. `status` is the HTTP status, 0 when no answer came. */
export type Delivery =
  | { readonly ok: true; readonly status: number }
  | {
      readonly ok: false;
      /** False when no later attempt can succeed. */
      readonly retryable: boolean;
      /** For people and the attempts table: no secret, no URL. */
      readonly reason: string;
      readonly status: number;
      /** How long the receiver asked us to wait. */
      readonly retryAfterMs?: number;
    };

/**
 * Where events go. `send` makes exactly one attempt and holds no state: retries, order, records and logs are the
 * dispatcher's. It answers for whatever the receiver does; it rejects only on a bug.
 */
export interface Sink {
  readonly name: string;
  send(event: WebhookEvent): Promise<Delivery>;
}
