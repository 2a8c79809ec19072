import type { WebhookEvent } from '../domain/episode.js';

/** How one attempt ended. `status` is the HTTP status, 0 when no answer came. */
export type Delivery =
  | {
      readonly ok: true;
      readonly status: number;
      /** Set when nothing was sent, because the hook runs dry: what would have been. */
      readonly dryRun?: string;
    }
  | {
      readonly ok: false;
      /** False when no later attempt can succeed. */
      readonly retryable: boolean;
      /** For people and the attempts table: no secret, no URL. */
      readonly reason: string;
      readonly status: number;
      /** How long the receiver asked us to wait. */
      readonly retryAfterMs?: number;
      /** The endpoint said that it is gone: nothing more is to be sent there. */
      readonly gone?: boolean;
    };

/**
 * Where events go. `send` makes exactly one attempt and holds no state: retries, order, records and logs are the
 * dispatcher's. It answers for whatever the receiver does; it rejects only on a bug.
 */
export interface Sink {
  readonly name: string;
  /** Sinks of one origin (scheme, host, port) fail together and are spared together. */
  readonly origin: string;
  send(event: WebhookEvent): Promise<Delivery>;
}
