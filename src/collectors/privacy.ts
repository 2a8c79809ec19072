import { parseJson } from '../domain/json.js';
import {
  type LabelRow,
  type Named,
  NO_VALUES,
  type PredictionRow,
  type RejectedRow,
} from '../domain/prediction.js';
import {
  type AppliedRule,
  ID_COLUMN,
  type PrivacyPolicy,
  type PrivacyRule,
  tagColumn,
} from '../domain/privacy.js';
import { ALIASES, type Fields, pick, unwrapped } from './decode-event.js';
import { keptText } from './kept-event.js';
import { createSealing, type Sealing } from './sealed-halves.js';
import { createSharedNames } from './shared-names.js';
import { createHasher, type Treatment, treatmentOf, UNDECLARED } from './treat-values.js';

type Kinds = ReadonlyMap<string, unknown>;
type Applied = ReadonlyMap<string, AppliedRule>;

export interface PrivacyOptions {
  /** What hashes are made with. */
  readonly key: Buffer;
  /** Null for a model whose values are kept. */
  readonly policyOf: (model: string) => PrivacyPolicy | null;
  /** Features of a registered version; undefined when it is not registered. */
  readonly featureKinds: (model: string, modelVersion: string) => Kinds | undefined;
  /** How the features of a registered model were treated when it was registered. */
  readonly appliedRules: (model: string) => Applied | undefined;
  /** The model that a name in a message stands for; undefined for one that nobody knows. */
  readonly knownModel: (name: string) => string | undefined;
  /** The event under our names, as the model's mapping says. */
  readonly mapped: (model: string, event: Fields) => Fields;
  /** Called for each row that has lost features which its version does not declare. */
  readonly undeclaredDropped?: ((model: string, modelVersion: string) => void) | undefined;
}

/** What happens to rows before anything is stored of them. */
export interface Privacy extends Sealing {
  treatPrediction(row: PredictionRow): PredictionRow;
  treatLabel(row: LabelRow): LabelRow;
  /** An event under our names, as a message that may be kept: known fields alone, values treated; null when that cannot be done. */
  keptEvent(kind: RejectedRow['kind'], event: Fields): string | null;
  /** A rejected row without values that may not be stored: treated, or without its message. */
  redact(row: RejectedRow): RejectedRow;
  /** A value as it is stored where it is hashed. */
  hash(column: string, value: string): string;
}

const WITHHELD = 'the message is not kept, as its values may be personal (docs/privacy.md)';

const MAX_PLANS = 1_000;

/** How one version's rows are treated. */
interface Plan {
  readonly kinds: Kinds | undefined;
  readonly applied: Applied | undefined;
  readonly feature: (name: string) => Treatment | null;
  readonly tag: (name: string) => Treatment | null;
  /** By list of names, which rows of one form share: null where nothing changes. */
  readonly lists: WeakMap<readonly string[], readonly (Treatment | null)[] | null>;
  readonly tagLists: WeakMap<readonly string[], readonly (Treatment | null)[] | null>;
}

/** Applies models' policies to all that comes in. */
export function createPrivacy(options: PrivacyOptions): Privacy {
  const { key, policyOf, featureKinds, appliedRules, knownModel, mapped, undeclaredDropped } = options;
  const hash = createHasher(key);
  const plans = new Map<string, Plan>();
  const sharedNumeric = createSharedNames();
  const sharedTexts = createSharedNames();

  function planOf(policy: PrivacyPolicy, model: string, modelVersion: string): Plan {
    const place = `${model}\0${modelVersion}`;
    const kinds = featureKinds(model, modelVersion);
    const applied = appliedRules(model);
    const known = plans.get(place);
    // Read anew on each tick of the registry: a version that is registered again may have other buckets.
    if (known !== undefined && known.kinds === kinds && known.applied === applied) return known;
    const remembered = <Rule extends PrivacyRule>(
      rules: Readonly<Record<string, Rule>>,
      otherwise: (name: string) => Treatment | null,
      make: (name: string, rule: Rule) => Treatment | null,
    ) => {
      const made = new Map<string, Treatment | null>();
      for (const [name, rule] of Object.entries(rules)) made.set(name, make(name, rule));
      return (name: string) => {
        const found = made.get(name);
        return found === undefined ? otherwise(name) : found;
      };
    };
    const isDeclared = (name: string) => kinds === undefined || kinds.has(name);
    const plan: Plan = {
      kinds,
      applied,
      feature: remembered(
        policy.features,
        (name) => (policy.undeclared === 'drop' && !isDeclared(name) ? UNDECLARED : null),
        (name, rule) => treatmentOf(name, rule, applied?.get(name), hash),
      ),
      tag: remembered(
        policy.tags,
        () => null,
        (name, rule) => treatmentOf(tagColumn(name), rule, undefined, hash),
      ),
      lists: new WeakMap(),
      tagLists: new WeakMap(),
    };
    // Versions are the senders' texts.
    if (plans.size >= MAX_PLANS) plans.clear();
    plans.set(place, plan);
    return plan;
  }

  function treatmentsOf(
    names: readonly string[],
    of: Plan['feature'],
    lists: Plan['lists'],
  ): readonly (Treatment | null)[] | null {
    const known = lists.get(names);
    if (known !== undefined) return known;
    const all = names.map(of);
    const found = all.every((one) => one === null) ? null : all;
    lists.set(names, found);
    return found;
  }

  function treatFeatures(row: PredictionRow, plan: Plan): Pick<PredictionRow, 'numeric' | 'categorical'> {
    const ofNumbers = treatmentsOf(row.numeric.names, plan.feature, plan.lists);
    const ofTexts = treatmentsOf(row.categorical.names, plan.feature, plan.lists);
    if (ofNumbers === null && ofTexts === null) return { numeric: row.numeric, categorical: row.categorical };
    if (ofNumbers?.includes(UNDECLARED) === true || ofTexts?.includes(UNDECLARED) === true)
      undeclaredDropped?.(row.model, row.modelVersion);
    const numeric = emptyList<number>();
    const categorical = emptyList<string>();
    for (const [index, name] of row.numeric.names.entries()) {
      const value = row.numeric.values[index] as number;
      const treatment = ofNumbers?.[index] ?? null;
      const treated = treatment === null ? value : treatment.number(value);
      if (typeof treated === 'number') add(numeric, name, treated);
      else if (treated !== undefined) add(categorical, name, treated);
    }
    for (const [index, name] of row.categorical.names.entries()) {
      const value = row.categorical.values[index] as string;
      const treatment = ofTexts?.[index] ?? null;
      const treated = treatment === null ? value : treatment.text(value);
      if (treated !== undefined) add(categorical, name, treated);
    }
    return {
      numeric: namedOf(sharedNumeric, numeric),
      categorical: namedOf(sharedTexts, categorical),
    };
  }

  function treatTags(tags: Named<string>, plan: Plan): Named<string> {
    const treatments = treatmentsOf(tags.names, plan.tag, plan.tagLists);
    if (treatments === null) return tags;
    const kept = emptyList<string>();
    for (const [index, name] of tags.names.entries()) {
      const value = tags.values[index] as string;
      const treatment = treatments[index] ?? null;
      const treated = treatment === null ? value : treatment.text(value);
      if (treated !== undefined) add(kept, name, treated);
    }
    return namedOf(sharedTexts, kept);
  }

  const treatId = (policy: PrivacyPolicy, id: string) =>
    policy.predictionId === 'hash' ? hash(ID_COLUMN, id) : id;

  function keptEvent(kind: RejectedRow['kind'], event: Fields): string | null {
    const model = pick(event, ALIASES.model);
    const policy = typeof model === 'string' ? policyOf(model) : null;
    if (typeof model !== 'string' || policy === null) return null;
    const version = pick(event, ALIASES.modelVersion);
    const plan = planOf(policy, model, typeof version === 'string' ? version : String(version));
    // Which features a version declares is not known before it is registered.
    const isTreatable = policy.undeclared === 'keep' || plan.kinds !== undefined;
    return keptText(kind, event, {
      model,
      id: (id) => treatId(policy, id),
      feature: isTreatable ? plan.feature : null,
      tag: plan.tag,
    });
  }

  const withheld = (row: RejectedRow): RejectedRow =>
    row.payload === '' ? row : { ...row, payload: '', detail: `${row.detail}; ${WITHHELD}` };

  // Whose model nobody knows may be of one with a policy, by a name that is mapped later or was misspelt.
  const sealing = createSealing(key, hash, (half) => {
    const model = knownModel(half.model);
    return model === undefined || policyOf(model) !== null;
  });

  return {
    treatPrediction(row) {
      const policy = policyOf(row.model);
      if (policy === null) return row;
      const plan = planOf(policy, row.model, row.modelVersion);
      return {
        ...row,
        ...treatFeatures(row, plan),
        predictionId: treatId(policy, row.predictionId),
        tags: treatTags(row.tags, plan),
      };
    },
    hash,
    treatLabel(row) {
      const policy = policyOf(row.model);
      return policy === null ? row : { ...row, predictionId: treatId(policy, row.predictionId) };
    },
    keptEvent,
    redact(row) {
      const fields = fieldsIn(row.payload);
      const named = row.model !== '' ? row.model : fields === null ? undefined : pick(fields, ALIASES.model);
      const model = typeof named === 'string' ? knownModel(named) : undefined;
      if (model !== undefined && policyOf(model) === null) return sealing.opened(row);
      if (model === undefined || fields === null) return withheld(row);
      const payload = keptEvent(row.kind, { ...mapped(model, fields), model });
      return payload === null ? withheld(row) : { ...row, payload };
    },
    seal: sealing.seal,
    open: sealing.open,
  };
}

interface List<Value> {
  readonly names: string[];
  readonly values: Value[];
}

const emptyList = <Value>(): List<Value> => ({ names: [], values: [] });

function add<Value>(list: List<Value>, name: string, value: Value): void {
  list.names.push(name);
  list.values.push(value);
}

function namedOf<Value>(
  shared: ReturnType<typeof createSharedNames>,
  { names, values }: List<Value>,
): Named<Value> {
  return names.length === 0 ? NO_VALUES : { names: shared(names), values };
}

/** The event in a message of ours, or null for any other message. */
function fieldsIn(text: string): Fields | null {
  try {
    const value: unknown = parseJson(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return unwrapped(value as Fields);
  } catch {
    return null; // it may be anything, and is not kept
  }
}
