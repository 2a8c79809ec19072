import { type FeatureSchema, type ModelVersion, modelColumns, monitoredColumns } from '../domain/model.js';
import type { Grid, Profile } from '../domain/profile.js';
import type { Segment } from '../domain/segment.js';
import type { UndecidedReason } from '../domain/verdict.js';
import { type Baselines, isImmature, nullOf } from './column-baseline.js';
import { appliesTo, type Detector, type Measurement } from './detector.js';
import { COLUMN_DETECTORS } from './registry.js';
import { leastPValue, pValueOf, type TestNull } from './test-null.js';

/** One test of one column in one window, before the family decides. */
export interface Candidate {
  readonly column: FeatureSchema;
  /** The rows that it is about; all of the window's when left out. */
  readonly segment?: Segment | undefined;
  readonly detector: Detector;
  readonly measured: Measurement | UndecidedReason;
  readonly null: TestNull | null;
  readonly pValue: number;
  /** The least p-value that this window could have given. */
  readonly leastPValue: number;
}

/** A test and what it looks at, whatever the window. */
export interface TestSides {
  readonly column: FeatureSchema;
  readonly detector: Detector;
  readonly grid: Grid | undefined;
  readonly reference: Profile | undefined;
}

interface MeasuredColumns extends Pick<Baselines, 'reference' | 'own'> {
  readonly model: ModelVersion;
  readonly grids: readonly Grid[];
  readonly referenceProfiles: readonly Profile[];
  readonly currentProfiles: readonly Profile[];
  readonly segment?: Segment;
  /** Every registered one when left out. */
  readonly detectors?: readonly Detector[];
}

/** The columns that are judged: in a segment those that the model sees and says, but for its own, which is constant there. */
export function judgedColumns({ schema }: ModelVersion, segment?: Segment): FeatureSchema[] {
  return segment === undefined
    ? monitoredColumns(schema)
    : modelColumns(schema).filter(({ name }) => name !== segment.column);
}

/** Asks every detector, or those of one role, about every column. */
export function measureColumns(input: MeasuredColumns, role?: Detector['role']): Candidate[] {
  const gridOf = new Map(input.grids.map((grid) => [grid.feature, grid]));
  const referenceOf = new Map(input.referenceProfiles.map((profile) => [profile.feature, profile]));
  const currentOf = new Map(input.currentProfiles.map((profile) => [profile.feature, profile]));
  return judgedColumns(input.model, input.segment).flatMap((column) =>
    (input.detectors ?? COLUMN_DETECTORS)
      .filter((detector) => appliesTo(detector, column) && (role === undefined || detector.role === role))
      .map((detector) => {
        const grid = gridOf.get(column.name);
        const reference = referenceOf.get(column.name);
        return measureTest(input, { column, detector, grid, reference }, currentOf.get(column.name));
      }),
  );
}

/** Measures one column of one window, and asks its null. */
export function measureTest(
  baselines: Pick<Baselines, 'reference' | 'own'>,
  { column, detector, grid, reference }: TestSides,
  current: Profile | undefined,
): Candidate {
  const measured = measure(detector, column, grid, reference, current);
  const testNull = typeof measured === 'string' ? null : nullOf(baselines, column, detector, measured);
  // What cannot reject, whatever the level, needs no p-value.
  const isJudged = typeof measured !== 'string' && testNull !== null && measured.vacuous === null;
  return {
    column,
    detector,
    measured,
    null: testNull,
    pValue: isJudged ? pValueOf(testNull, measured.statistic, measured) : 1,
    leastPValue: isJudged ? leastPValue(measured, testNull) : 1,
  };
}

function measure(
  detector: Detector,
  column: FeatureSchema,
  grid: Grid | undefined,
  reference: Profile | undefined,
  current: Profile | undefined,
): Measurement | UndecidedReason {
  if (current === undefined) return 'no_data';
  if (reference === undefined || grid === undefined) return 'no_reference';
  if (grid.kind !== column.kind || current.kind !== column.kind) return 'not_applicable';
  if (isImmature(column, reference, current)) return 'labels_immature';
  return detector.measure({ grid, reference, current });
}
