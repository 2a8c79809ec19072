import { z } from 'zod';
import { REQUEST, requestIdProblem } from './domain/request-rule.js';

const worth = z.number().min(-1e12).max(1e12);

/** How good predictions were, once their labels have come: the `performance` section of a model. */
export const performanceSchema = z.strictObject({
  /** The class that a binary model's probability is of, as text. */
  positiveClass: z.string().min(1).max(200).default('1'),
  /** Share of predictions with a label from which figures say anything about all of them. */
  minimumMaturity: z.number().gt(0).max(1).default(0.8),
  /** What one prediction of a binary model is worth by its cell of the confusion matrix, in any unit. */
  value: z
    .strictObject({
      truePositive: worth,
      falsePositive: worth,
      trueNegative: worth,
      falseNegative: worth,
    })
    .optional(),
  /** Quantiles whose loss is told of a regression. */
  quantiles: z.array(z.number().gt(0).lt(1)).max(10).default([0.5]),
  /** How a prediction names the request it answers, so that versions can be compared on the same requests. */
  requestId: z
    .string()
    .max(200)
    .refine(
      (text) => requestIdProblem(text) === null,
      'must hold {request} once, e.g. "{request}-v{version}", or be tags.NAME',
    )
    .default(REQUEST),
});
