import type { CureDriver } from '../domain/cure.js';
import type { Episode } from '../domain/episode.js';
import type { VersionKey } from '../domain/ports.js';
import type { JudgedRetraining } from '../domain/retraining.js';
import { segmentName } from '../domain/segment.js';
import { formatDay, formatTime, formatWindow, NOTHING, plural } from './format.js';
import { type Html, html, nameTag, shorten } from './html.js';
import { amountWords, REASON_WORDS } from './sentences.js';

export const CATEGORY_WORDS: Readonly<Record<Episode['category'], string>> = {
  drift: 'drift',
  dataQuality: 'data quality',
  outliers: 'outliers',
  performance: 'performance',
  service: 'service',
};

export const CURE_WORDS: Readonly<Record<JudgedRetraining['cure']['verdict'], string>> = {
  cured: 'cured',
  not_cured: 'not cured',
  cannot_tell: 'cannot tell yet',
};

const STATE_WORDS: Readonly<Record<CureDriver['state'], string>> = {
  clean: 'clean',
  drifted: 'drifts',
  undecided: 'undecided',
  absent: 'not in this version',
};

/** Named in a sentence; the table has all. */
const NAMED = 3;

function nameOf({ feature, segment, detector }: CureDriver): string {
  const column = feature === '' ? 'whole rows' : shorten(feature, 40);
  return `${column}${segment === undefined ? '' : ` in ${shorten(segmentName(segment), 40)}`} (${detector})`;
}

const before = (driver: CureDriver) => amountWords(driver.detector, driver.before);
const after = (driver: CureDriver) =>
  driver.after === null ? NOTHING : amountWords(driver.detector, driver.after);

const changes = (drivers: readonly CureDriver[]) =>
  drivers
    .slice(0, NAMED)
    .map((driver) => `${nameOf(driver)} ${before(driver)} → ${after(driver)}`)
    .join(', ');

function doubt(driver: CureDriver): string {
  if (driver.reason === null) return 'it was not judged';
  return driver.reason === 'null_provisional'
    ? 'it is not known yet how much ordinary windows differ'
    : REASON_WORDS[driver.reason];
}

function whyNot({ modelVersion, cure }: JudgedRetraining): string {
  const { clean, drifted, undecided, needed } = cure.windows;
  switch (cure.reason) {
    case 'no_reference':
      return `version ${shorten(modelVersion, 30)} has no reference`;
    case 'no_windows':
      return `no window of version ${shorten(modelVersion, 30)} was judged since`;
    case 'columns_absent':
      return `version ${shorten(modelVersion, 30)} has none of the columns that drifted`;
    default: {
      const first = cure.drivers.find(({ state }) => state === 'undecided');
      const counted = `${plural(clean, 'clean window')}, ${drifted} drifted, ${undecided} undecided, where ${needed} clean in a row are needed`;
      return first === undefined ? counted : `${counted}; ${nameOf(first)}: ${doubt(first)}`;
    }
  }
}

/** Whether a version cured the episode that it was trained for, with the effects before and after. */
export function retrainingSentence(retraining: JudgedRetraining): string {
  const { modelVersion, episode, cure } = retraining;
  const version = `version ${shorten(modelVersion, 30)}`;
  const which = `the ${CATEGORY_WORDS[episode.category]} episode of ${formatDay(episode.firstWindow.startMs)}`;
  const when = cure.period === null ? '' : ` (${formatWindow(cure.period)})`;
  const of = (state: CureDriver['state']) => cure.drivers.filter((driver) => driver.state === state);
  switch (cure.verdict) {
    case 'cured':
      return `Retraining cured ${which}: ${changes(of('clean'))} in ${plural(cure.windows.clean, 'clean window')} of ${version}${when}.`;
    case 'not_cured':
      return `Retraining did not cure ${which}: ${changes(of('drifted'))}, material in ${cure.windows.drifted} of ${plural(cure.windows.clean + cure.windows.drifted, 'window')} of ${version}${when}.`;
    default:
      return `Whether ${version} cured ${which} cannot be told yet: ${whyNot(retraining)}.`;
  }
}

/** Those that a page or report of a version tells of: its own, and those for episodes that it shows. */
export function retrainingsShown(
  retrainings: readonly JudgedRetraining[],
  { modelVersion }: VersionKey,
  episodes: readonly Episode[],
): JudgedRetraining[] {
  const shown = new Set(episodes.map(({ id }) => id));
  return retrainings.filter(
    (retraining) => retraining.modelVersion === modelVersion || shown.has(retraining.episodeId),
  );
}

/** What became of retraining: a sentence each, and the tests that opened the episode, before and after. Nothing while there was none. */
export function retrainingSection(retrainings: readonly JudgedRetraining[]): Html | string {
  if (retrainings.length === 0) return '';
  const row = (driver: CureDriver) =>
    html`<tr><td class="name">${nameTag(nameOf(driver), 100)}</td><td class="num">${before(driver)}</td><td class="num">${after(driver)}</td><td>${STATE_WORDS[driver.state]}</td></tr>`;
  const one = (retraining: JudgedRetraining) =>
    html`<p><b>Version ${nameTag(retraining.modelVersion, 30)}: ${CURE_WORDS[retraining.cure.verdict]}.</b> ${retrainingSentence(retraining)} <span class="muted">Announced ${formatTime(retraining.announcedAtMs)} by ${nameTag(retraining.by, 40)}.</span></p>
<div class="scroll"><table><thead><tr><th>What opened the episode</th><th class="num">Effect then</th><th class="num">Effect in version ${nameTag(retraining.modelVersion, 30)}</th><th>Now</th></tr></thead><tbody>${retraining.cure.drivers.map(row)}</tbody></table></div>`;
  return html`<section class="keep"><div class="head"><h2>Retraining</h2><span class="hint">the tests that opened an episode, put to the version trained for it, against its own reference</span></div>
${retrainings.map(one)}</section>`;
}
