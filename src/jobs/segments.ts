import type { SegmentBaseline } from '../detectors/column-baseline.js';
import type { ModelVersion } from '../domain/model.js';
import type { Store } from '../domain/ports.js';
import type { Grid, Profile } from '../domain/profile.js';
import {
  type NullModel,
  type Reference,
  referenceBuckets,
  type SegmentReference,
} from '../domain/reference.js';
import { type Segment, type SegmentSetting, segmentId, segmentScope } from '../domain/segment.js';
import type { Window } from '../domain/window.js';
import { describePerformance } from './reference-performance.js';

export interface SegmentReferenceDeps {
  readonly store: Pick<Store, 'segmentsOf' | 'mergedProfiles' | 'pieceProfiles' | 'performanceCounts'>;
  readonly fitNullModel: (input: {
    grids: readonly Grid[];
    pieces: readonly { window: Window; profiles: readonly Profile[] }[];
    pieceMs: number;
  }) => NullModel | Promise<NullModel>;
  /** Which segments of a model get verdicts of their own; none when left out. */
  readonly segments?: (model: string) => SegmentSetting | undefined;
}

/** The segments of a version as they are set; none without a setting. */
export async function segmentsOf(
  deps: Pick<SegmentReferenceDeps, 'segments'> & { readonly store: Pick<Store, 'segmentsOf'> },
  model: ModelVersion,
): Promise<Segment[]> {
  const setting = deps.segments?.(model.model);
  return setting === undefined ? [] : deps.store.segmentsOf(model, setting);
}

/** What is known of the segments of a reference whose counts are stored: those without a row in it are left out. */
export async function describeSegments(
  deps: SegmentReferenceDeps,
  model: ModelVersion,
  input: {
    readonly segments: readonly Segment[];
    readonly reference: Pick<Reference, 'hash' | 'period'>;
    readonly grids: readonly Grid[];
    readonly pieceMs: number;
    /** Whether a piece lies inside the reference. */
    readonly covers: (piece: Window) => boolean;
    /** As for the whole reference. */
    readonly minimumMaturity?: number;
  },
): Promise<SegmentReference[]> {
  const { reference, grids, pieceMs } = input;
  const found: SegmentReference[] = [];
  for (const segment of input.segments) {
    const query = {
      model: model.model,
      modelVersion: model.modelVersion,
      scope: segmentScope(`reference:${reference.hash}`, segment),
    };
    const profiles = await deps.store.mergedProfiles(query, referenceBuckets(reference));
    const rows = Math.max(0, ...profiles.map((profile) => profile.rows));
    if (rows === 0) continue;
    const pieces = reference.period === null ? [] : await deps.store.pieceProfiles(query, pieceMs);
    found.push({
      segment,
      rows,
      nullModel: await deps.fitNullModel({
        grids,
        pieces: pieces.filter((piece) => input.covers(piece.window)),
        pieceMs,
      }),
      ...(await describePerformance(deps.store, model, {
        hash: reference.hash,
        period: reference.period,
        pieceMs,
        covers: input.covers,
        segment,
        ...(input.minimumMaturity === undefined ? {} : { minimumMaturity: input.minimumMaturity }),
      })),
    });
  }
  return found;
}

/**
 * The part of a reference that a segment is compared with; null when it has none, or so few windows with rows that their spread
 * is unknown while that of the whole is known: independent rows would then page.
 */
export function partOf(reference: Reference, segment: Segment): Reference | null {
  const part = reference.segments?.find((known) => segmentId(known.segment) === segmentId(segment));
  if (part === undefined) return null;
  if (reference.nullModel.kind === 'temporal' && part.nullModel.kind === 'iid') return null;
  return { ...reference, rows: part.rows, nullModel: part.nullModel, performance: part.performance ?? [] };
}

/** What each segment of a version is compared with in a registered reference; those that have nothing there are left out. */
export function createSegmentBaselines(
  deps: Pick<SegmentReferenceDeps, 'segments'> & {
    readonly store: Pick<Store, 'segmentsOf' | 'mergedProfiles'>;
  },
) {
  return async (model: ModelVersion, reference: Reference): Promise<SegmentBaseline[]> => {
    const setting = deps.segments?.(model.model);
    const segments = setting === undefined ? [] : await deps.store.segmentsOf(model, setting);
    const found: SegmentBaseline[] = [];
    for (const segment of segments) {
      const part = partOf(reference, segment);
      if (part === null) continue;
      const scope = segmentScope(`reference:${reference.hash}`, segment);
      const query = { model: model.model, modelVersion: model.modelVersion, scope };
      const referenceProfiles = await deps.store.mergedProfiles(query, referenceBuckets(reference));
      found.push({ segment, reference: part, referenceProfiles });
    }
    return found;
  };
}

export type SegmentBaselines = ReturnType<typeof createSegmentBaselines>;
