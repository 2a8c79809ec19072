import type { RegisterReferenceDeps } from '../jobs/register-reference.js';
import { serialiseForest } from '../stats/forest-codec.js';
import { fitForestModel } from '../stats/forest-model.js';
import type { TaskRunner } from '../workers/tasks.js';
import { createPause } from './turns.js';

/** Fits isolation forests in worker threads, one forest each; what they need of the rows is made here, with pauses. */
export function createForestFitter(tasks: TaskRunner): RegisterReferenceDeps['fitForest'] {
  return async (columns, rows, options) => {
    const pause = createPause({ turnMs: 5 });
    const model = await fitForestModel(columns, rows, options, {
      growForest: (input) => tasks.run('growForest', () => input),
      // The fold is given away, and named here again when its scores come.
      scoreHeldOut: (input) => tasks.run('scoreHeldOut', () => ({ ...input, fold: input.fold.slice() })),
      pause,
    });
    await pause();
    return serialiseForest(model);
  };
}
