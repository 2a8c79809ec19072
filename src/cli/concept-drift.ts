import type { ErrorStreamAnswer } from '../domain/error-stream.js';
import { formatCount, formatNumber, formatTime, NOTHING } from '../views/format.js';
import { answer, type Output, say, table } from './output.js';
import type { ServiceClient } from './service-client.js';
import { versionOf } from './tune.js';

export async function showConceptDrift(
  client: Pick<ServiceClient, 'get'>,
  options: { model: string; version?: string | undefined; limit: string },
  output: Output,
): Promise<void> {
  const { model, limit } = options;
  const version = await versionOf(client, model, options.version);
  const query = new URLSearchParams({ version, limit });
  const found = (await client.get(
    `/v1/models/${encodeURIComponent(model)}/concept-drift?${query}`,
  )) as ErrorStreamAnswer;
  say(output, conceptDriftText(found));
  answer(output, found);
}

/** What each detector looks back on, and a line for each change that one has seen, newest first. */
export function conceptDriftText(found: ErrorStreamAnswer): string {
  const { model, modelVersion, errors, unmatched, detectors, detections } = found;
  const head = `${model} version ${modelVersion}: ${formatCount(errors)} labelled predictions looked at${
    unmatched === 0 ? '' : `, ${formatCount(unmatched)} labels without a prediction`
  }`;
  if (errors === 0)
    return `${head}\nNo label has been looked at yet: send labels to /v1/labels, and wait for the next detection cycle.`;
  return [
    head,
    table(
      ['detector', 'errors since it began', 'mean error'],
      detectors.map((each) => [
        each.detector,
        each.errors,
        each.meanError === null ? NOTHING : formatNumber(each.meanError),
      ]),
    ),
    '',
    ...(detections.length === 0
      ? ['No change was seen.']
      : [
          table(
            ['time of the label (UTC)', 'detector', 'labelled prediction'],
            detections.map(({ labelMs, detector, position }) => [formatTime(labelMs), detector, position]),
          ),
        ]),
    '',
    'These detectors describe: how often they are wrong on this traffic is not known, and none of this alarms anybody.',
  ].join('\n');
}
