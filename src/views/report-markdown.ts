import type { ReportedEpisode, ReportedFeature, ReportedVersion, ReportFacts } from '../domain/report.js';
import { formatCount, formatPercent, formatWindow, NOTHING } from './format.js';
import { shorten, visible } from './html.js';
import { PERFORMANCE_WORDS, SHOWN_FIGURES } from './performance.js';
import {
  comparisonRows,
  figureWords,
  headline,
  isolationWords,
  madeWords,
  missedSentence,
  performanceNote,
  reportTitle,
  zonedWindow,
} from './report-words.js';
import { CATEGORY_WORDS, CURE_WORDS } from './retrainings.js';
import { amountWords } from './sentences.js';

/** Text in which nothing is markup: names come from outside. */
export function escapeMarkdown(text: string): string {
  return visible(text)
    .replace(/[\n\t]/g, ' ')
    .replace(/[\\`*_{}[\]<>#|~!&]/g, (char) => `\\${char}`);
}

const text = escapeMarkdown;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => text(cell)).join(' | ')} |`;
  return [line(head), `| ${head.map(() => '---').join(' | ')} |`, ...rows.map(line)];
}

const driversOf = ({ drivers }: ReportedEpisode) =>
  [...new Set(drivers.map(({ feature }) => (feature === '' ? 'whole rows' : shorten(feature, 40))))].join(
    ', ',
  );

const MARKS = { true: 'true', false: 'false alarm' } as const;

function episodeLines({ episodes }: ReportedVersion): string[] {
  if (episodes.length === 0) return ['No episode.'];
  return table(
    ['State', 'Kind', 'First window', 'Closed by', 'Driven by', 'Was it true?'],
    episodes.map((episode) => [
      `${episode.state} (${episode.severity})`,
      CATEGORY_WORDS[episode.category],
      formatWindow(episode.firstWindow),
      episode.closedBy === null ? NOTHING : formatWindow(episode.closedBy),
      driversOf(episode),
      episode.mark === null ? NOTHING : MARKS[episode.mark],
    ]),
  );
}

const effect = ({ detector }: ReportedFeature, value: number | null) =>
  detector === null || value === null ? NOTHING : amountWords(detector, value);

function featureLines({ features }: ReportedVersion): string[] {
  if (features.length === 0) return ['No feature drifted materially.'];
  return table(
    ['Feature', 'Windows', 'Before', 'Test', 'Median effect', 'Largest', 'What moved'],
    features.map((feature) => [
      shorten(feature.feature, 60),
      `${formatCount(feature.windowsMaterial.now)} of ${formatCount(feature.windowsDecided.now)}`,
      `${formatCount(feature.windowsMaterial.previous)} of ${formatCount(feature.windowsDecided.previous)}`,
      feature.detector ?? NOTHING,
      effect(feature, feature.medianEffect),
      effect(feature, feature.largestEffect),
      feature.move ?? NOTHING,
    ]),
  );
}

function performanceLines(version: ReportedVersion): string[] {
  const { performance, task } = version;
  if (performance === null) return [];
  const { now, previous, reference } = performance;
  const names = SHOWN_FIGURES[task].filter((name) =>
    [now, previous, reference].some((side) => side?.figures[name] !== undefined),
  );
  const note = performanceNote(version);
  if (names.length === 0) return ['', '### Performance', '', 'No label has come.'];
  return [
    '',
    '### Performance',
    '',
    ...table(
      ['Figure (95 % interval)', 'Period before', 'This period', 'Reference'],
      names.map((name) => [
        PERFORMANCE_WORDS[name] ?? name,
        figureWords(previous, name),
        figureWords(now, name),
        figureWords(reference, name),
      ]),
    ),
    ...(note === '' ? [] : ['', text(note)]),
  ];
}

function qualityLines({ quality }: ReportedVersion): string[] {
  if (quality.length === 0) return ['Nothing is missing, unseen or of a wrong type.'];
  const shares = (share: { now: number | null; previous: number | null } | null) =>
    share === null ? NOTHING : `${formatPercent(share.previous)} → ${formatPercent(share.now)}`;
  const rows = ({ now, previous }: { now: number; previous: number }) =>
    `${formatCount(previous)} → ${formatCount(now)}`;
  return table(
    ['Column', 'Missing', 'Unseen values', 'Wrong type', 'Not finite', 'Windows material'],
    quality.map((row) => [
      shorten(row.feature, 60),
      shares(row.missing),
      shares(row.unseen),
      rows(row.mistyped),
      rows(row.nonFinite),
      rows(row.windowsMaterial),
    ]),
  );
}

function versionLines({ period, previous, timeZone }: ReportFacts, version: ReportedVersion): string[] {
  const isolation = isolationWords(version);
  const { outliers, retrainings } = version;
  return [
    '',
    `## Version ${text(shorten(version.modelVersion, 40))}`,
    '',
    ...table(
      ['', zonedWindow(previous, timeZone), zonedWindow(period, timeZone)],
      comparisonRows(version).map((row) => [row.label, row.previous, row.now]),
    ),
    '',
    '### Episodes',
    '',
    ...episodeLines(version),
    ...(retrainings.length === 0 ? [] : ['', '### Retraining', '']),
    ...retrainings.map(
      ({ modelVersion, verdict, sentence }) =>
        `- Version ${text(shorten(modelVersion, 30))}: ${CURE_WORDS[verdict]}. ${text(sentence)}`,
    ),
    ...performanceLines(version),
    '',
    '### Most drifted features',
    '',
    ...featureLines(version),
    '',
    '### Data quality',
    '',
    ...qualityLines(version),
    '',
    '### Outliers',
    '',
    outliers.scored.now === 0
      ? 'Rows have not been scored in this period.'
      : text(
          `${formatPercent(outliers.share.now)} of ${formatCount(outliers.scored.now)} rows, after ${formatPercent(outliers.share.previous)} in the period before. ${isolation}`.trim(),
        ),
  ];
}

/** A report as Markdown (CommonMark with tables), from the same facts as the page. */
export function reportMarkdown(facts: ReportFacts): string {
  const missed = missedSentence(facts);
  const several = facts.versions.length > 1;
  return `${[
    `# ${text(reportTitle(facts))}`,
    '',
    `**${text(headline(facts))}.** ${text(facts.summary)}`,
    ...(missed === '' ? [] : ['', text(missed)]),
    '',
    '## What changed',
    '',
    ...(facts.changes.length === 0 ? ['Nothing to speak of.'] : []),
    ...facts.changes.map(
      ({ text: words, modelVersion }) =>
        `- ${several ? `Version ${text(shorten(modelVersion, 20))}: ` : ''}${text(words)}`,
    ),
    ...facts.versions.flatMap((version) => versionLines(facts, version)),
    ...(facts.comparisons.length === 0 ? [] : ['', '## Versions side by side', '']),
    ...facts.comparisons.map(({ summary }) => `- ${text(summary)}`),
    '',
    text(madeWords(facts)),
  ].join('\n')}\n`;
}
