import { type ForestEncoding, hasIndicator } from './forest-encoding.js';
import type { TreeRecords } from './forest-layout.js';
import type { ForestModel } from './forest-model.js';
import { averagePathLength } from './isolation-forest.js';

/** One recorded tree with links; node 0 is the root. */
interface LinkedTree {
  /** Per node: the split column, −1 for a leaf. */
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Per node: what arriving there leaves of the path, depth so far + c(rows of the subsample that are there). */
  readonly pathLength: Float64Array;
}

/**
 * What each column has to do with a row's score. At a split, a row that goes with n' of the node's n rows of the subsample has
 * c(n) − (1 + c(n')) less of a path before it than it had by the average of all trees: its column saved so many splits, or cost them.
 * Over a tree the savings add up to c(ψ) − h(x) exactly, so that the score is 2^(Σ savings / c(ψ) − 1): each column's part, in halvings.
 *
 * Path attribution as of Saabas (2014) and Lundberg et al. (2020, "From local explanations to global understanding with explainable AI
 * for trees"), with the c(n) of Liu, Ting & Zhou (2008) for what a node expects.
 *
 * `matrix` is row-major with the forest's encoded columns. Gives rows × model columns, a missing indicator's part with its column's.
 */
export function explainRows(model: ForestModel, matrix: Float64Array, rows: number): Float64Array {
  const { records, columns: width } = model.forest;
  const place = placeOfColumns(model.encoding);
  const columns = model.columns.length;
  const parts = new Float64Array(rows * columns);
  if (matrix.length < rows * width)
    throw new RangeError(`the matrix holds ${matrix.length} values, ${rows} × ${width} are needed`);
  const norm = averagePathLength(records.subsample);
  if (norm === 0) return parts;
  for (const tree of linkedTrees(records)) {
    for (let row = 0; row < rows; row++) {
      let node = 0;
      for (let feature = tree.feature[0] as number; feature >= 0; feature = tree.feature[node] as number) {
        const goesLeft = (matrix[row * width + feature] as number) <= (tree.threshold[node] as number);
        const child = (goesLeft ? tree.left[node] : tree.right[node]) as number;
        const at = row * columns + (place[feature] as number);
        const saved = (tree.pathLength[node] as number) - (tree.pathLength[child] as number);
        parts[at] = (parts[at] as number) + saved;
        node = child;
      }
    }
  }
  const scale = 1 / (records.trees * norm);
  return parts.map((part) => part * scale);
}

/** Per encoded column: the model's column that it is of. */
function placeOfColumns(encoding: ForestEncoding): number[] {
  return encoding.flatMap((column, place) => (hasIndicator(column) ? [place, place] : [place]));
}

/** Of forests that are in use: linking takes as long as explaining some hundred rows. */
const linked = new WeakMap<TreeRecords, readonly LinkedTree[]>();

function linkedTrees(records: TreeRecords): readonly LinkedTree[] {
  const known = linked.get(records);
  if (known !== undefined) return known;
  const trees = [...linkTrees(records)];
  linked.set(records, trees);
  return trees;
}

function* linkTrees(records: TreeRecords): Generator<LinkedTree> {
  const { features, thresholds, sizes, trees } = records;
  let nextNode = 0;
  let nextSplit = 0;
  let nextLeaf = 0;
  const nodes = 2 * records.subsample - 1;
  for (let index = 0; index < trees; index++) {
    const tree: LinkedTree = {
      feature: new Int32Array(nodes).fill(-1),
      threshold: new Float64Array(nodes),
      left: new Int32Array(nodes),
      right: new Int32Array(nodes),
      pathLength: new Float64Array(nodes),
    };
    let free = 0;
    /** Links the next recorded subtree and returns the rows that it holds. */
    const link = (node: number, depth: number): number => {
      const split = features[nextNode++] as number;
      let size: number;
      if (split === 0) size = sizes[nextLeaf++] as number;
      else {
        tree.feature[node] = split - 1;
        tree.threshold[node] = thresholds[nextSplit++] as number;
        tree.left[node] = ++free;
        size = link(free, depth + 1);
        tree.right[node] = ++free;
        size += link(free, depth + 1);
      }
      tree.pathLength[node] = depth + averagePathLength(size);
      return size;
    };
    link(0, 0);
    yield tree;
  }
}
