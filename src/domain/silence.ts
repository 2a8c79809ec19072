/** Why nobody is paged and no hook is told for now. Verdicts and episodes go on being recorded. */
export const SILENCE_REASONS = ['snoozed', 'maintenance'] as const;
export type SilenceReason = (typeof SILENCE_REASONS)[number];

export interface Silence {
  readonly reason: SilenceReason;
  /** What it is about; a maintenance window is about the model. */
  readonly scope: 'episode' | 'category' | 'model';
  /** When it ends by itself, ms. */
  readonly untilMs: number;
  /** Who asked for it, in the words of the request; empty for a maintenance window. */
  readonly by: string;
  readonly note: string;
}

/** Somebody looks after an episode. */
export interface Acknowledgement {
  readonly by: string;
  readonly note: string;
  readonly atMs: number;
}

/** How people stand to an open episode. */
export interface Standing {
  /** Null while alarms go out. */
  readonly silence: Silence | null;
  readonly acknowledgement: Acknowledgement | null;
}

export const AWAKE: Standing = { silence: null, acknowledgement: null };
