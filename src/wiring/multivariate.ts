import {
  type FittedMultivariate,
  fitMultivariate,
  type MultivariateInput,
} from '../jobs/fit-multivariate.js';
import type { TaskRunner } from '../workers/tasks.js';
import { createPause } from './turns.js';

/** Compares a reference's pieces in worker threads; what they need of the rows is made here, with pauses. */
export function createMultivariateFitter(
  tasks: TaskRunner,
): (input: MultivariateInput) => Promise<FittedMultivariate | null> {
  return (input) =>
    fitMultivariate(input, {
      comparePieces: (piece) => tasks.run('comparePieces', piece),
      pause: createPause({ turnMs: 5 }),
    });
}
