import type { Cure } from './cure.js';
import type { Episode } from './episode.js';
import type { ModelSchema, ModelVersion } from './model.js';
import type { VersionKey } from './ports.js';
import type { Reference } from './reference.js';

/** The event that asks for a training run. */
export const RETRAINING_REQUESTED = 'retraining.requested';

/** A version that was announced as the answer to an episode. */
export interface Retraining {
  readonly model: string;
  readonly episodeId: string;
  /** The version that was trained anew. */
  readonly modelVersion: string;
  /** Real time of the first announcement, ms. */
  readonly announcedAtMs: number;
  /** Id of the API key that announced it, `local` where the service has none, `mlflow` for a signed registry webhook. */
  readonly by: string;
}

export interface RetrainingStore {
  /** Replaces the one of the same episode and version. */
  saveRetraining(retraining: Retraining): Promise<void>;
  /** Of a model, newest first. */
  listRetrainings(model: string): Promise<Retraining[]>;
}

/** A retraining with what became of it. */
export interface JudgedRetraining extends Retraining {
  readonly episode: Episode;
  readonly cure: Cure;
}

/** What somebody says of a version that was trained. */
export interface Announcement extends VersionKey {
  /** Left out: that of the version whose episode it answers, else of the newest one; its own where it is registered. */
  readonly schema?:
    | (Pick<ModelSchema, 'task' | 'features'> & { readonly probability?: boolean | undefined })
    | undefined;
  /**
   * Ids of episodes, or of webhook events about them. Left out: the episodes whose request for retraining was delivered before the
   * version was registered, and that no other version answers.
   */
  readonly retrainedFor?: readonly string[] | undefined;
  /** Registers the reference that comes along; `tellsSchema`: the version's schema is read off it. */
  readonly reference?: {
    readonly tellsSchema: boolean;
    readonly register: () => Promise<{ model: ModelVersion; reference: Reference }>;
  };
  readonly by: string;
}

export interface Announced {
  readonly model: ModelVersion;
  /** Whether the version, its schema or its reference is new. */
  readonly saved: boolean;
  /** The one that came along. */
  readonly reference?: Reference;
  /** The episodes that the version answers, those of earlier announcements too. */
  readonly retrainings: readonly Retraining[];
}
