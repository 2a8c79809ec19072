// Reads one event of a known form from its bytes. AssemblyScript (https://www.assemblyscript.org): `npm run wasm` makes ../scan-wasm.ts
// of this folder. Whatever is not plain is left to the host: scanning fails then, and says nothing.
//
// Layout of a form, 32-bit words: number of slots; for each slot role, kind, and where the bytes before its value stand and how many
// they are; the same two of the bytes behind the last value.
import { Cursor, FAILED, isPattern, NULL, NUMBER, readScalar, TEXT, TRUE } from './cursor';
import { RECIPROCALS } from './numbers';
import { ENTRY, MAX_VALUES, nextRow, putText, Texts } from './texts';
import { readTime } from './times';

export { forgetTexts, fresh } from './texts';

/** Writes the kinds of the form's slots, for this version; 0 when it is not registered. */
declare function hostKinds(form: u32, modelFrom: u32, modelEnd: u32, versionFrom: u32, versionEnd: u32): i32;

// In the order of ROLES in event-scanner.ts.
const FEATURE: u32 = 0;
const TAG: u32 = 1;
const IGNORED: u32 = 2;
const MODEL: u32 = 3;
const VERSION: u32 = 4;
const ID: u32 = 5;
const TIMESTAMP: u32 = 6;
const PREDICTION: u32 = 7;
const PROBA: u32 = 8;
const LATENCY: u32 = 9;
const ROW_INDEX: u32 = 10;

const NUMERIC: u32 = 1;
const CATEGORICAL: u32 = 2;

const MAX_KEY: u32 = 120;
const MAX_ID: u32 = 512;
/** Beyond it whole numbers that differ are one: as a tag it would be another's. */
const MAX_SAFE: f64 = 9_007_199_254_740_991;

/** Timestamp, prediction, probability, latency, row index; NaN for none. */
const FLOATS = memory.data(5 * 8, 8);
/** Is the prediction a number; id from, end (0: none); numbers, texts of features, texts of tags, texts that are new. */
const WORDS = memory.data(7 * 4, 8);
const NUMBERS = memory.data(MAX_VALUES * 8, 8);
const NUMBER_SLOTS = memory.data(MAX_VALUES * 4, 8);
const TEXTS = memory.data(MAX_VALUES * ENTRY, 8);
const TAGS = memory.data(MAX_VALUES * ENTRY, 8);
const LABEL = memory.data(ENTRY, 8);

/** Memory is the host's from here on. */
export function heapBase(): usize {
  return __heap_base;
}
export function floats(): usize {
  return FLOATS;
}
export function words(): usize {
  return WORDS;
}
export function numbers(): usize {
  return NUMBERS;
}
export function numberSlots(): usize {
  return NUMBER_SLOTS;
}
export function texts(): usize {
  return TEXTS;
}
export function tags(): usize {
  return TAGS;
}
export function label(): usize {
  return LABEL;
}
export function reciprocals(): usize {
  return RECIPROCALS;
}

let modelFrom: u32 = 0;
let modelEnd: u32 = 0;
let versionFrom: u32 = 0;
let versionEnd: u32 = 0;

/** Model and version of the form whose slots' kinds were set last. */
const LAST_MODEL = memory.data(MAX_KEY, 8);
const LAST_VERSION = memory.data(MAX_KEY, 8);
let lastForm: u32 = 0;
let lastModelLength: u32 = 0;
let lastVersionLength: u32 = 0;

/** What is registered, or a form, may be another one from now on. */
export function forget(): void {
  lastForm = 0;
}

/** Whether the version is registered: its form's slots have their kinds then. */
function kindsAreKnown(form: u32): bool {
  const modelLength = modelEnd - modelFrom;
  const versionLength = versionEnd - versionFrom;
  if (
    form == lastForm &&
    modelLength == lastModelLength &&
    versionLength == lastVersionLength &&
    memory.compare(LAST_MODEL, modelFrom, modelLength) == 0 &&
    memory.compare(LAST_VERSION, versionFrom, versionLength) == 0
  )
    return true;
  lastForm = 0;
  if (hostKinds(form, modelFrom, modelEnd, versionFrom, versionEnd) == 0) return false;
  lastForm = form;
  lastModelLength = modelLength;
  lastVersionLength = versionLength;
  memory.copy(LAST_MODEL, modelFrom, modelLength);
  memory.copy(LAST_VERSION, versionFrom, versionLength);
  return true;
}

/** Where the event ends, or -1. `form` is the address of its form, `start` of its text, behind which there must be 16 zeros at its end. */
export function scan(form: u32, start: u32): i32 {
  const end = scanForm(form, start);
  store<u32>(WORDS, Texts.fresh, 24);
  return end;
}

function scanForm(form: u32, start: u32): i32 {
  Cursor.at = start;
  nextRow();
  let numberCount: u32 = 0;
  let textCount: u32 = 0;
  let tagCount: u32 = 0;
  let kindsKnown = false;
  modelEnd = 0;
  versionEnd = 0;
  store<u32>(WORDS, 0);
  store<u32>(WORDS, 0, 8);
  store<f64>(FLOATS, NaN, 0);
  store<f64>(FLOATS, NaN, 8);
  store<f64>(FLOATS, NaN, 16);
  store<f64>(FLOATS, NaN, 24);
  store<f64>(FLOATS, 0, 32);

  const slots = load<u32>(form);
  let slot = form + 4;
  for (let index: u32 = 0; index < slots; index += 1, slot += 16) {
    if (!isPattern(load<u32>(slot, 8), load<u32>(slot, 12))) return -1;
    const role = load<u32>(slot);
    if (role == TIMESTAMP) {
      const time = readTime();
      if (!isFinite(time)) return -1;
      store<f64>(FLOATS, time);
      continue;
    }
    const kind = readScalar();
    if (kind == FAILED) return -1;
    if (role == FEATURE) {
      if (!kindsKnown) {
        if (modelEnd == 0 || versionEnd == 0) return -1;
        if (!kindsAreKnown(form)) return -1;
        kindsKnown = true;
      }
      if (kind == NULL) continue;
      const wanted = load<u32>(slot, 4);
      if (kind == NUMBER ? wanted != CATEGORICAL : kind != TEXT && wanted == NUMERIC) {
        store<f64>(NUMBERS + (numberCount << 3), kind == NUMBER ? Cursor.value : kind == TRUE ? 1 : 0);
        store<u32>(NUMBER_SLOTS + (numberCount << 2), index);
        numberCount += 1;
      } else {
        if (!putText(TEXTS + textCount * ENTRY, index, kind)) return -1;
        textCount += 1;
      }
    } else if (role == TAG) {
      if (kind == NULL) continue;
      if (kind == NUMBER && !(Math.abs(Cursor.value) <= MAX_SAFE)) return -1;
      if (!putText(TAGS + tagCount * ENTRY, index, kind)) return -1;
      tagCount += 1;
    } else if (role == IGNORED) {
    } else if (role == MODEL || role == VERSION) {
      const length = Cursor.at - 1 - Cursor.textFrom;
      if (kind != TEXT || length == 0 || length > MAX_KEY) return -1;
      if (role == MODEL) {
        modelFrom = Cursor.textFrom;
        modelEnd = Cursor.at - 1;
      } else {
        versionFrom = Cursor.textFrom;
        versionEnd = Cursor.at - 1;
      }
    } else if (role == ID) {
      const length = Cursor.at - 1 - Cursor.textFrom;
      if (kind != TEXT || length == 0 || length > MAX_ID) return -1;
      store<u32>(WORDS, Cursor.textFrom, 4);
      store<u32>(WORDS, Cursor.at - 1, 8);
    } else if (role == PREDICTION) {
      if (kind == NULL) return -1;
      if (kind == TEXT) {
        if (!putText(LABEL, index, kind)) return -1;
      } else {
        const number = kind == NUMBER ? Cursor.value : kind == TRUE ? 1 : 0;
        if (!isFinite(number)) return -1;
        store<u32>(WORDS, 1);
        store<f64>(FLOATS, number, 8);
      }
    } else if (role == PROBA) {
      if (kind == NULL) continue;
      if (kind != NUMBER || !(Cursor.value >= 0 && Cursor.value <= 1)) return -1;
      store<f64>(FLOATS, Cursor.value, 16);
    } else if (role == LATENCY) {
      if (kind == NULL) continue;
      if (kind != NUMBER || !(Cursor.value >= 0 && isFinite(Cursor.value))) return -1;
      store<f64>(FLOATS, Cursor.value, 24);
    } else if (role == ROW_INDEX) {
      if (
        kind != NUMBER ||
        !(Cursor.value >= 0 && Cursor.value <= 4_294_967_295 && Cursor.value == Math.floor(Cursor.value))
      )
        return -1;
      store<f64>(FLOATS, Cursor.value, 32);
    } else return -1;
  }
  if (!isPattern(load<u32>(slot), load<u32>(slot, 4))) return -1;
  if (!kindsKnown && !kindsAreKnown(form)) return -1;
  store<u32>(WORDS, numberCount, 12);
  store<u32>(WORDS, textCount, 16);
  store<u32>(WORDS, tagCount, 20);
  return Cursor.at;
}
