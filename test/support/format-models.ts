import type { ConfigInput } from '../../src/config.js';

const IRIS = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];

/** Models of the format fixtures, as a configuration has them. */
export const FORMAT_MODELS = {
  iris: { mapping: { serves: ['sklearn-iris'], version: '1', featureNames: IRIS } },
  credit: {
    mapping: {
      version: '2',
      predictionId: 'req.id',
      timestamp: 'created',
      features: { income: 'input.applicant.income', purpose: 'input.purpose' },
      prediction: 'out.class',
      probability: 'out.p',
      latencyMs: 'took',
      tags: { region: 'where.region' },
    },
  },
} satisfies ConfigInput['models'];

const features = (kind: 'numeric' | 'categorical', ...names: string[]) =>
  names.map((name) => ({ name, kind }));

const SCHEMAS = {
  'churn/versions/3': {
    task: 'binary',
    features: [...features('numeric', 'age'), ...features('categorical', 'plan')],
  },
  'iris/versions/1': { task: 'multiclass', features: features('numeric', ...IRIS) },
  'credit/versions/2': {
    task: 'binary',
    features: [...features('numeric', 'income'), ...features('categorical', 'purpose')],
  },
};

/** Registers them with a running service. */
export async function registerFormatModels(url: string): Promise<void> {
  for (const [path, schema] of Object.entries(SCHEMAS)) {
    const response = await fetch(`${url}/v1/models/${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(schema),
    });
    if (response.status !== 201) throw new Error(`registering ${path}: ${await response.text()}`);
  }
}
